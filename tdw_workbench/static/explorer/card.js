// One map that changes over checkpoints: canvas, ticks, color bar, numbers, files.

import { save, toCsv, toPng } from "./download.js";
import { ticks } from "./lines.js";
import { LUT, colorBar, format, table } from "./lut.js";
import { makeView } from "./view.js";

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
 * A card; `paint(epoch, {fixed, numbers, later})` is all that a step of the slider calls; `later` says that a map that
 * is not there is kept on demand.
 *
 * `axes` says what runs along the map: {down, right}, and `names` what a pair is called. `view` is shared by the maps
 * beside each other. `file` begins the names of downloads; without it there are none.
 */
export function makeCard({ title, color, dash = false, unit, alt, axes, names = ["a", "b"], view, file = "", onRemove }) {
  const card = document.createElement("figure");
  card.className = "card";
  card.style.borderTopColor = color;
  if (dash) card.classList.add("dashed");
  const head = card.appendChild(document.createElement("figcaption"));
  head.appendChild(Object.assign(document.createElement("strong"), { textContent: title }));
  const button = (text, label, act) => {
    const made = head.appendChild(Object.assign(document.createElement("button"), { type: "button", textContent: text, title: label }));
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  };
  if (file) {
    button("PNG", `save the picture of ${title}`, async () => drawn && save(await toPng(described()), `${stem()}.png`)).className = "file";
    button("CSV", `save the numbers of ${title}`, () => drawn && save(toCsv(described()), `${stem()}.csv`)).className = "file";
  }
  if (onRemove) button("×", `drop ${title}`, onRemove);
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
  const under = card.appendChild(Object.assign(document.createElement("p"), { className: "numbers under" }));

  let series = null;
  let context = null;
  let image = null;
  let pixels = null;
  let drawn = null; // {epoch, row, from, to} of what is painted
  let marked = ""; // which part the ticks are of
  let pixelsWide = 0; // CSS pixels of the map
  const colors = new Uint32Array(256);

  /** The part that is shown, in cells of this map: {row, column, count}. */
  function cells() {
    const { a, b, n } = view.shown;
    const share = series.side / view.span;
    const count = Math.max(1, Math.round(n * share));
    const first = (value) => Math.max(0, Math.min(series.side - count, Math.round(value * share)));
    return { row: first(a), column: first(b), count };
  }

  const value = (row, column) => {
    const { side } = series;
    return series.low[drawn.row] + series.scale[drawn.row] * series.codes[drawn.row * side * side + row * side + column];
  };

  /** Which values a row or column of cells stands for: "12", or "12–13" where several are one cell. */
  function label(cell) {
    const share = view.span / series.side;
    const [first, last] = [Math.floor(cell * share), Math.max(Math.floor(cell * share), Math.ceil((cell + 1) * share) - 1)];
    return first === last ? `${first}` : `${first}–${last}`;
  }

  /** Where the middle of a value lies in the part that is shown, 0 to 1. */
  function at(given, axis) {
    const shown = cells();
    return (((given + 0.5) * series.side) / view.span - (axis === "down" ? shown.row : shown.column)) / shown.count;
  }

  function described() {
    const { a, b, n } = view.shown;
    const { from, to } = drawn;
    const range = { down: [a, a + n - 1], right: [b, b + n - 1] };
    return { side: series.side, value, label, from, to, title: `${title} · ${file} · epoch ${drawn.epoch.toLocaleString("en")}`, unit, names, shown: cells(), range, at };
  }

  const stem = () => `${file}_${title.replaceAll(/\W+/g, "_")}_epoch_${drawn.epoch}${series.side === view.span ? "" : `_${series.side}x${series.side}`}`;

  function markAxes() {
    const { a, b, n } = view.shown;
    const text = [a, b, n, series.side].join();
    if (plain || text === marked) return;
    marked = text;
    frame.querySelectorAll(".tick").forEach((each) => each.remove());
    for (const [axis, first] of [["down", a], ["right", b]]) {
      for (const tick of ticks(first, first + n - 1, 4).filter(Number.isInteger)) {
        const place = frame.appendChild(Object.assign(document.createElement("span"), { className: `axis tick of-${axis}`, textContent: tick }));
        place.style[axis === "down" ? "top" : "left"] = `${(at(tick, axis) * pixelsWide).toFixed(1)}px`;
      }
    }
  }

  function point() {
    const pair = view.cursor;
    if (!pair || !drawn) return void (under.textContent &&= "");
    const [row, column] = pair.map((each) => Math.min(series.side - 1, Math.floor((each * series.side) / view.span)));
    under.textContent = `${names[0]} = ${label(row)}, ${names[1]} = ${label(column)}: ${format(value(row, column))}`;
  }

  const plain = !view;
  view ??= makeView(1, {}, () => {}); // of one value: always the whole
  if (plain) under.remove();
  else listen();

  function listen() {
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${alt}. Arrow keys move over the pairs, plus and minus zoom, 0 shows all.`);
    const pairAt = (event) => {
      const { row, column, count } = cells();
      const cell = (offset, first) => first + Math.max(0, Math.min(count - 1, Math.floor((offset / pixelsWide) * count)));
      return [cell(event.offsetY, row), cell(event.offsetX, column)].map((each) => Math.floor((each * view.span) / series.side));
    };
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!series) return;
      canvas.setPointerCapture(event.pointerId);
      held = { x: event.offsetX, y: event.offsetY };
    });
    canvas.addEventListener("pointerup", () => (held = null));
    canvas.addEventListener("pointermove", (event) => {
      if (!series) return;
      if (held && event.buttons) {
        const size = pixelsWide / view.shown.n; // CSS pixels a value
        const [down, right] = [held.y - event.offsetY, held.x - event.offsetX].map((each) => Math.trunc(each / size));
        if (down || right) {
          view.move(down, right);
          held = { x: held.x - right * size, y: held.y - down * size };
        }
      }
      view.point(pairAt(event));
    });
    canvas.addEventListener("pointerleave", () => view.point(null));
    canvas.addEventListener("dblclick", () => view.whole());
    canvas.addEventListener("wheel", (event) => {
      if (!series) return;
      event.preventDefault();
      view.zoom(event.deltaY < 0 ? 1 : -1, pairAt(event));
    }, { passive: false });
    canvas.addEventListener("focus", () => under.setAttribute("aria-live", "polite"));
    canvas.addEventListener("blur", () => under.removeAttribute("aria-live"));
    canvas.addEventListener("keydown", (event) => {
      const { a, b, n } = view.shown;
      const pair = view.cursor ?? [a + Math.floor(n / 2), b + Math.floor(n / 2)];
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (step) view.point(pair.map((each, i) => Math.max(0, Math.min(view.span - 1, each + step[i]))));
      else if (event.key === "+" || event.key === "=") view.zoom(1, pair);
      else if (event.key === "-") view.zoom(-1, pair);
      else if (event.key === "0") view.whole();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  return {
    element: card,
    setSeries(given) {
      series = given;
      drawn = null;
      image = null;
      marked = "";
      missing.hidden = true;
    },
    fail(text) {
      missing.textContent = text;
      missing.hidden = false;
    },
    paint(epoch, { fixed, numbers, later = false }) {
      said.textContent = numbers;
      if (!series) return;
      const row = series.rows.get(epoch);
      missing.hidden = row !== undefined;
      canvas.classList.toggle("faded", row === undefined);
      const shown = cells();
      if (image?.width !== shown.count) fit(shown.count);
      markAxes();
      if (row === undefined) {
        drawn = null;
        missing.textContent = later ? `epoch ${epoch.toLocaleString("en")} is kept on demand: computing …` : `no map at epoch ${epoch.toLocaleString("en")}: not computed yet`;
        context.clearRect(0, 0, shown.count, shown.count);
        bar.say("", "");
        point();
        return;
      }
      const [low, scale] = [series.low[row], series.scale[row]];
      const map = fixed ? table(low, scale, series.from, series.to, colors) : LUT;
      const { side } = series;
      let into = 0;
      for (let i = 0; i < shown.count; i++) {
        let from = row * side * side + (shown.row + i) * side + shown.column;
        for (let j = 0; j < shown.count; j++) pixels[into++] = map[series.codes[from++]];
      }
      context.putImageData(image, 0, 0);
      drawn = fixed ? { epoch, row, from: series.from, to: series.to } : { epoch, row, from: low, to: low + 255 * scale };
      bar.set(drawn.from, drawn.to);
      point();
    },
  };

  /** The canvas has a pixel for each cell, so that the browser enlarges it by squares. */
  function fit(count) {
    canvas.width = canvas.height = count;
    pixelsWide = (series.side * Math.max(1, Math.floor((WANTED * devicePixelRatio) / series.side))) / devicePixelRatio;
    canvas.style.width = canvas.style.height = `${pixelsWide}px`;
    context = canvas.getContext("2d");
    image = context.createImageData(count, count);
    pixels = new Uint32Array(image.data.buffer);
    marked = "";
  }
}
