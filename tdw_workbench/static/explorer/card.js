// One map that changes over checkpoints: canvas, color bar, numbers.

import { LUT, colorBar, format, table } from "./lut.js";

const WANTED = 226; // CSS pixels a side

/** Where a map series begins in a slice: codes [base, base + E * side²), low and scale [row, row + E). */
export function seriesOf(slice, index) {
  const side = slice.codes.shape.at(-1);
  const count = slice.epochs.data.length;
  const low = slice.low.data.subarray(index * count, (index + 1) * count);
  const scale = slice.scale.data.subarray(index * count, (index + 1) * count);
  const codes = slice.codes.data.subarray(index * count * side * side, (index + 1) * count * side * side);
  let [from, to] = [Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    from = Math.min(from, low[i]);
    to = Math.max(to, low[i] + 255 * scale[i]);
  }
  const rows = new Map([...slice.epochs.data].map((epoch, row) => [epoch, row]));
  return { side, codes, low, scale, from, to, rows };
}

/**
 * A card; `paint(epoch, {fixed, numbers})` is all that a step of the slider calls. `axes` says what runs along the
 * map: {down, right}.
 */
export function makeCard({ title, color, dash = false, unit, alt, axes, onRemove }) {
  const card = document.createElement("figure");
  card.className = "card";
  card.style.borderTopColor = color;
  if (dash) card.classList.add("dashed");
  const head = card.appendChild(document.createElement("figcaption"));
  head.appendChild(Object.assign(document.createElement("strong"), { textContent: title }));
  if (onRemove) {
    const remove = head.appendChild(document.createElement("button"));
    Object.assign(remove, { type: "button", textContent: "×", title: `drop ${title}` });
    remove.setAttribute("aria-label", `drop ${title}`);
    remove.addEventListener("click", onRemove);
  }
  const frame = card.appendChild(document.createElement("div"));
  frame.className = "map";
  const canvas = frame.appendChild(document.createElement("canvas"));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", alt);
  const missing = frame.appendChild(Object.assign(document.createElement("p"), { className: "missing", hidden: true }));
  for (const [axis, text] of Object.entries(axes)) {
    frame.appendChild(Object.assign(document.createElement("span"), { className: `axis ${axis}`, textContent: text }));
  }
  const bar = colorBar(unit);
  card.appendChild(bar.element);
  const said = card.appendChild(document.createElement("p"));
  said.className = "numbers";

  let series = null;
  let context = null;
  let image = null;
  let pixels = null;
  const colors = new Uint32Array(256);

  return {
    element: card,
    setSeries(given) {
      series = given;
      canvas.width = canvas.height = series.side;
      const zoom = Math.max(1, Math.floor((WANTED * devicePixelRatio) / series.side)) / devicePixelRatio;
      canvas.style.width = canvas.style.height = `${series.side * zoom}px`;
      context = canvas.getContext("2d");
      image = context.createImageData(series.side, series.side);
      pixels = new Uint32Array(image.data.buffer);
    },
    fail(text) {
      missing.textContent = text;
      missing.hidden = false;
    },
    paint(epoch, { fixed, numbers }) {
      said.textContent = numbers;
      if (!series) return;
      const row = series.rows.get(epoch);
      missing.hidden = row !== undefined;
      canvas.classList.toggle("faded", row === undefined);
      if (row === undefined) {
        missing.textContent = `no map at epoch ${epoch.toLocaleString("en")}: not computed yet`;
        context.clearRect(0, 0, series.side, series.side);
        bar.say("", "");
        return;
      }
      const [low, scale] = [series.low[row], series.scale[row]];
      const map = fixed ? table(low, scale, series.from, series.to, colors) : LUT;
      const size = series.side * series.side;
      const at = row * size;
      for (let i = 0; i < size; i++) pixels[i] = map[series.codes[at + i]];
      context.putImageData(image, 0, 0);
      if (fixed) bar.set(series.from, series.to);
      else bar.set(low, low + 255 * scale);
    },
  };
}
