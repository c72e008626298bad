// A tile for each of many maps, in one canvas. The server reduces maps by area to the pixels of a tile, so a
// tile is painted pixel by pixel and fine structure can't pose as coarse structure.

import { LUT, table } from "./lut.js";

const WANTED = 52; // CSS pixels a tile, gap included
const GAP = 3;
const TALLEST = 16000; // device pixels; browsers refuse taller canvases

/**
 * Columns, rows and device pixels of a mosaic of `count` maps, `side` pixels wide, in `width` CSS pixels. A map that
 * is smaller than a tile is shown at a whole multiple of its size, and the tile fits it.
 */
export function layOut(count, width, ratio, side) {
  let columns = Math.max(4, Math.floor(width / WANTED));
  const gap = Math.round(GAP * ratio);
  const wide = () => Math.floor((width * ratio) / columns);
  while (Math.ceil(count / columns) * wide() > TALLEST && wide() > 12) columns++;
  let inner = wide() - gap;
  if (side <= inner) {
    inner = side * Math.round(inner / side);
    columns = Math.max(1, Math.floor((width * ratio) / (inner + gap)));
  }
  return { columns, rows: Math.max(1, Math.ceil(count / columns)), pitch: inner + gap, inner };
}

export class Mosaic {
  #tiles = null;
  #order = [];
  #picks = new Map();
  #layout = null;
  #current = -1;

  /** `side` is the maps' width; `onPick(index)`, `onLook(index or null, event)` and `said(index)` are told. */
  constructor({ canvas, marks, side, onPick, onLook, said }) {
    Object.assign(this, { canvas, marks, side, onPick, onLook });
    canvas.addEventListener("click", (event) => this.#pick(this.#place(event)));
    canvas.addEventListener("pointermove", (event) => {
      const place = this.#place(event);
      onLook(this.#order[place] ?? null, event);
    });
    canvas.addEventListener("pointerleave", () => onLook(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.#goTo(Math.max(0, this.#current), said));
    canvas.addEventListener("blur", () => this.#drawMarks());
    this.said = said;
  }

  /** Pixels a side that a tile has room for, for `count` maps in the width that there is now. */
  tileSize(count) {
    const { inner } = layOut(count, this.canvas.parentElement.clientWidth, devicePixelRatio, this.side);
    return Math.max(8, Math.min(256, inner));
  }

  /** New maps. */
  setTiles(tiles) {
    this.#tiles = tiles;
  }

  /** Paint the maps of `order`, which are indices; `common` is [from, to], or null where each has its own range. */
  draw(order, common) {
    this.#order = order;
    this.#current = Math.min(this.#current, order.length - 1);
    const ratio = devicePixelRatio;
    const room = this.canvas.parentElement.clientWidth;
    const layout = (this.#layout = layOut(this.#tiles?.codes.shape[0] ?? order.length, room, ratio, this.side));
    layout.rows = Math.max(1, Math.ceil(order.length / layout.columns));
    const width = layout.columns * layout.pitch;
    const height = layout.rows * layout.pitch;
    for (const canvas of [this.canvas, this.marks]) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${width / ratio}px`;
      canvas.style.height = `${height / ratio}px`;
    }
    if (this.#tiles) this.#paint(order, common, width, height);
    this.#drawMarks();
  }

  #paint(order, common, width, height) {
    const { codes, low, scale } = this.#tiles;
    const side = codes.shape[1];
    const { columns, pitch, inner } = this.#layout;
    const zoom = Math.max(1, Math.floor(inner / side));
    const span = Math.min(side * zoom, inner);
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const own = new Uint32Array(256);
    order.forEach((index, place) => {
      const colors = common ? table(low.data[index], scale.data[index], common[0], common[1], own) : LUT;
      const x = (place % columns) * pitch;
      const y = Math.floor(place / columns) * pitch;
      const from = index * side * side;
      for (let row = 0; row < span; row++) {
        const line = from + Math.floor(row / zoom) * side;
        let at = (y + row) * width + x;
        for (let column = 0; column < span; column++) pixels[at++] = colors[codes.data[line + Math.floor(column / zoom)]];
      }
    });
    context.putImageData(image, 0, 0);
  }

  /** Which maps are picked: index -> color. */
  setPicks(picks) {
    this.#picks = picks;
    this.#drawMarks();
  }

  #drawMarks() {
    if (!this.#layout) return;
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    const ratio = devicePixelRatio;
    for (const [index, color] of this.#picks) this.#ring(context, this.#order.indexOf(index), color, 3 * ratio);
    if (document.activeElement === this.canvas) {
      const text = getComputedStyle(this.canvas).color;
      this.#ring(context, this.#current, text, 2 * ratio, [4 * ratio, 3 * ratio]);
    }
  }

  #ring(context, place, color, width, dash = []) {
    if (place < 0) return;
    const { columns, pitch, inner } = this.#layout;
    const [x, y] = [(place % columns) * pitch, Math.floor(place / columns) * pitch];
    context.setLineDash(dash);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.strokeRect(x + width / 2, y + width / 2, inner - width / 2, inner - width / 2);
  }

  #place(event) {
    if (!this.#layout) return -1;
    const { columns, pitch } = this.#layout;
    const column = Math.floor((event.offsetX * devicePixelRatio) / pitch);
    const row = Math.floor((event.offsetY * devicePixelRatio) / pitch);
    return column < columns ? row * columns + column : -1;
  }

  #pick(place) {
    if (this.#order[place] === undefined) return;
    this.#current = place;
    this.onPick(this.#order[place]);
  }

  #goTo(place) {
    if (!this.#order.length) return;
    this.#current = Math.max(0, Math.min(this.#order.length - 1, place));
    this.#drawMarks();
    this.said(this.#order[this.#current]);
    const { columns, pitch } = this.#layout;
    const top = (Math.floor(this.#current / columns) * pitch) / devicePixelRatio;
    const frame = this.canvas.parentElement;
    if (top < frame.scrollTop || top + pitch / devicePixelRatio > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = top - frame.clientHeight / 2;
    }
  }

  #key(event) {
    const columns = this.#layout?.columns ?? 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -5 * columns, PageDown: 5 * columns };
    if (event.key in steps) this.#goTo(this.#current + steps[event.key]);
    else if (event.key === "Home") this.#goTo(0);
    else if (event.key === "End") this.#goTo(this.#order.length - 1);
    else if (event.key === "Enter" || event.key === " ") this.#pick(this.#current);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
