// A map as files: numbers as CSV, a picture with axes and color bar as PNG.

import { LUT, format } from "./lut.js";
import { ticks } from "./lines.js";

const SIDE = 900; // pixels, about

/** `map` is {side, value(row, column)}; rows go down, columns to the right, numbered as in `label`. */
export function toCsv({ side, value, label }) {
  const all = Array.from({ length: side }, (_, i) => i);
  const lines = [["", ...all.map(label)], ...all.map((row) => [label(row), ...all.map((column) => value(row, column))])];
  return new Blob([lines.map((line) => line.join(",")).join("\n"), "\n"], { type: "text/csv" });
}

/** Always light, for papers. `shown` is the window in cells {row, column, count}; `at(v)` where a value lies in it, 0 to 1. */
export function toPng({ value, from, to, title, unit, names, shown, range, at }) {
  const zoom = Math.max(1, Math.floor(SIDE / shown.count));
  const side = zoom * shown.count;
  const [left, top] = [90, 70];
  const canvas = Object.assign(document.createElement("canvas"), { width: side + left + 30, height: side + top + 170 });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const color = (share) => {
    const abgr = LUT[Math.max(0, Math.min(255, Math.round(255 * share)))];
    return `rgb(${abgr & 255} ${(abgr >> 8) & 255} ${(abgr >> 16) & 255})`;
  };
  for (let row = 0; row < shown.count; row++) {
    for (let column = 0; column < shown.count; column++) {
      context.fillStyle = color((value(shown.row + row, shown.column + column) - from) / (to - from || 1));
      context.fillRect(left + column * zoom, top + row * zoom, zoom, zoom);
    }
  }
  const write = (text, x, y, align = "center", size = 26) => {
    context.font = `${size}px sans-serif`;
    context.textAlign = align;
    context.fillText(text, x, y);
  };
  context.fillStyle = "#1f2730";
  context.textBaseline = "middle";
  write(title, left, 34, "left", 28);
  for (const tick of ticks(...range.down, 5).filter(Number.isInteger)) write(tick, left - 12, top + at(tick, "down") * side, "right");
  for (const tick of ticks(...range.right, 5).filter(Number.isInteger)) write(tick, left + at(tick, "right") * side, top + side + 24);
  write(names[0], 22, top + side / 2);
  write(names[1], left + side / 2, top + side + 60);
  for (let i = 0; i < 256; i++) {
    context.fillStyle = color(i / 255);
    context.fillRect(left + (i * side) / 256, top + side + 90, side / 256 + 1, 22);
  }
  context.fillStyle = "#1f2730";
  write(format(from), left, top + side + 136, "left");
  write(unit, left + side / 2, top + side + 136);
  write(format(to), left + side, top + side + 136, "right");
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
