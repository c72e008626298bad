// The epoch that a panel shows while the slider stands at one that the panel may lack.

/** Of ascending `epochs` the place of the newest up to `epoch`, and words for it: "" where it is that epoch. */
export function newest(epochs, epoch) {
  const place = Math.max(0, epochs.findLastIndex((each) => each <= epoch));
  return { place, words: epochs[place] === epoch ? "" : `at epoch ${epochs[place].toLocaleString("en")}` };
}
