// The pattern of one head on a canvas: a square per query and key, tokens along both sides, the query marked.

import { LUT } from "../../explorer/lut.js";

const SIDE = 560; // CSS pixels at most
const NARROW = 22;
const MARK = "#D55E00";
const TOKEN_COLORS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C8C8C", "#A69B00", "#D55E00"];

/** `labels` by token; `pick(query)` is called for a row that is clicked. Returns {setTokens, paint, clear}. */
export function makePattern(canvas, { positions, labels }, pick) {
  const width = Math.min(SIDE, canvas.parentElement.clientWidth);
  // Names stand beside the pattern where they have room, else colors.
  const longest = Math.max(...labels.map((label) => label.length));
  const margin = (width - NARROW) / positions >= 14 ? Math.max(NARROW, 8 * longest + 6) : NARROW;
  const cell = Math.max(1, Math.floor((width - margin) / positions));
  const side = cell * positions;
  const zoom = devicePixelRatio;
  canvas.width = canvas.height = Math.round((side + margin) * zoom);
  canvas.style.width = canvas.style.height = `${side + margin}px`;
  Object.assign(canvas.dataset, { margin, cell }); // where squares lie
  const context = canvas.getContext("2d");
  const small = new OffscreenCanvas(positions, positions);
  const smallContext = small.getContext("2d");
  const image = smallContext.createImageData(positions, positions);
  const pixels = new Uint32Array(image.data.buffer);
  let tokens = null;

  canvas.addEventListener("click", (event) => {
    const row = Math.floor((event.offsetY - margin) / cell);
    if (row >= 0 && row < positions) pick(row);
  });

  function sides() {
    const ink = getComputedStyle(canvas).color;
    context.font = `${Math.min(12, cell)}px ui-monospace, monospace`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < positions; i++) {
      const middle = margin + (i + 0.5) * cell;
      const label = tokens ? labels[tokens[i]] : String(i);
      if (cell >= 14) {
        context.fillStyle = ink;
        context.fillText(label, middle, margin / 2, cell + 6);
        context.fillText(label, margin / 2, middle, margin - 2);
      } else if (tokens) {
        context.fillStyle = TOKEN_COLORS[tokens[i] % TOKEN_COLORS.length];
        context.fillRect(margin + i * cell, margin - 9, cell, 7);
        context.fillRect(margin - 9, margin + i * cell, 7, cell);
      } else if (i % 10 === 0) {
        context.fillStyle = ink;
        context.font = "10px ui-monospace, monospace";
        context.fillText(label, middle, margin / 2);
        context.fillText(label, margin / 2, middle);
      }
    }
  }

  // The sides stay from step to step: only the squares are taken away.
  function begin() {
    context.clearRect(margin - 1, margin - 1, side + 1, side + 1);
  }

  return {
    /** The tokens of the sequence, or null for the mean of all. */
    setTokens(given) {
      tokens = given;
      context.setTransform(zoom, 0, 0, zoom, 0, 0);
      context.clearRect(0, 0, side + margin, side + margin);
      sides();
    },
    /** Codes of all queries at one epoch: 255 times the square root of attention. The whole work of a step. */
    paint(codes, query) {
      begin();
      for (let i = 0; i < codes.length; i++) pixels[i] = LUT[codes[i]];
      // What comes later can't be attended to: left open.
      for (let row = 0; row < positions; row++) pixels.fill(0, row * positions + row + 1, (row + 1) * positions);
      smallContext.putImageData(image, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, margin, margin, side, side);
      context.strokeStyle = MARK;
      context.lineWidth = 1.5;
      context.strokeRect(margin, margin + query * cell, (query + 1) * cell, Math.max(cell, 3));
    },
    clear: begin,
  };
}
