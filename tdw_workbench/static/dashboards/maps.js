// Maps of the explorer in a panel, read as slices: every epoch is there, and a step of the slider is painted.

import { makeCard, seriesOf } from "../explorer/card.js";
import { getSlice } from "./data.js";
import { newest } from "./newest.js";

const COLORS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"];
const SMALLEST = 60; // CSS pixels per side
const GAP = 6;

/** Draws into `place`; {load(address), show(epoch), theme(), resize()}; `view` is what the family declares. */
export function makeMaps(place, { view, indices, say }) {
  const area = place.appendChild(document.createElement("div"));
  area.className = "cards small";
  area.tabIndex = 0; // more maps than there is room for: it scrolls, by keyboard too
  const parts = view.parts.length ? view.parts : [""];
  let cards = [];
  let epochs = [];
  let shown = null;
  let sized = false;

  async function load(address) {
    const slice = await getSlice(address);
    epochs = [...slice.epochs.data];
    cards = [];
    indices.forEach((index, row) => parts.forEach((part, p) => {
      const title = [view.label.replace("{i}", index), part].filter(Boolean).join(" ");
      const card = makeCard({
        title, color: COLORS[row % COLORS.length], dash: p > 0, unit: view.unit, alt: `${title}: ${view.unit}`,
        axes: { down: view.down, right: view.right },
      });
      card.setSeries(seriesOf(slice, row * parts.length + p));
      cards.push({ card });
    }));
    area.replaceChildren(...cards.map(({ card }) => card.element));
    sized = false;
    if (shown !== null) paint();
  }

  // As large as all of them fit.
  function fit() {
    const { clientWidth: width, clientHeight: height } = area;
    if (!cards.length || !width || !height) return;
    size(SMALLEST);
    const [first] = cards;
    const beside = first.card.element.offsetWidth - SMALLEST + GAP;
    const around = first.card.element.offsetHeight - SMALLEST + GAP;
    let side = -Infinity;
    for (let columns = 1; columns <= cards.length; columns++) {
      const rows = Math.ceil(cards.length / columns);
      const found = Math.min((width - 2 * GAP) / columns - beside, (height - 2 * GAP) / rows - around);
      if (found <= side) continue;
      side = found;
      area.style.setProperty("--columns", columns);
    }
    size(Math.max(SMALLEST, Math.floor(side) - 2));
  }

  function size(side) {
    for (const { card } of cards) {
      const { style } = card.element.querySelector("canvas");
      style.width = style.height = `${side}px`;
    }
  }

  function paint() {
    const { place, words } = newest(epochs, shown);
    for (const { card } of cards) card.paint(epochs[place], { fixed: true, numbers: "" });
    if (!sized) fit(); // a card takes its own size when it is first painted
    sized = true;
    say(words);
  }

  return {
    load,
    show(epoch) {
      shown = epoch;
      if (cards.length) paint();
    },
    theme() {},
    resize: fit,
  };
}
