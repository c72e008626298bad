// Figures with frames follow the slider one after the other, each at the newest epoch: so the slider is never
// held up, however many of them there are.
/* global Plotly */

import { makePainter } from "./heat.js";
import { newest } from "./newest.js";

const NOW = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
const RESTS = 200; // ms without a step, after which Plotly draws what was painted, or what takes it long
const QUICK = 50; // ms that Plotly may take for a step while the slider moves
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

/** {to(epoch): words for what is shown, stop()} for a figure with frames, named after their epochs, drawn in `div`. */
export function follow(div, layer, figure) {
  const names = figure.frames.map(({ name }) => name);
  const epochs = names.map(Number);
  const painter = makePainter(div, layer, figure);
  let wanted = names.at(-1);
  let drawn = wanted;
  let took = 0;
  let soon = 0;

  async function draw() {
    if (wanted !== drawn) {
      drawn = wanted;
      const start = performance.now();
      await Plotly.animate(div, [drawn], NOW).catch(() => {}); // rejected where a newer one took its place
      took = performance.now() - start;
    }
    if (drawn === wanted) painter?.clear();
  }

  function later() {
    waiting.add(draw);
    work();
  }

  return {
    to(epoch) {
      const { place, words } = newest(epochs, epoch);
      if (wanted !== names[place]) {
        wanted = names[place];
        painter?.paint(wanted);
        clearTimeout(soon);
        if (painter || took > QUICK) soon = setTimeout(later, RESTS);
        else later();
      }
      return words;
    },
    stop() {
      clearTimeout(soon);
      waiting.delete(draw);
      painter?.clear();
    },
  };
}
