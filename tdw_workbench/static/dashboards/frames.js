// Figures with frames follow the slider one after the other, each at the newest epoch: so the slider is never
// held up, however many of them there are.
/* global Plotly */

const NOW = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
const waiting = new Set();
let working = false;

async function work() {
  if (working) return;
  working = true;
  while (waiting.size) {
    const next = waiting.values().next().value;
    waiting.delete(next);
    await next();
    await new Promise(requestAnimationFrame); // the slider, the lines and the maps go first
  }
  working = false;
}

/** {to(epoch): words for what is shown, stop()} for a drawn figure whose frames are named after their epochs. */
export function follow(div, names) {
  const epochs = names.map(Number);
  let wanted = null;
  let shown = names.at(-1);

  async function draw() {
    if (wanted === shown) return;
    shown = wanted;
    await Plotly.animate(div, [shown], NOW).catch(() => {}); // rejected where a newer one took its place
  }

  return {
    to(epoch) {
      const place = Math.max(0, epochs.findLastIndex((each) => each <= epoch));
      wanted = names[place];
      waiting.add(draw);
      work();
      return epochs[place] === epoch ? "" : `at epoch ${epochs[place].toLocaleString("en")}`;
    },
    stop: () => waiting.delete(draw),
  };
}
