// Numbers over checkpoints, with a cursor at the slider's epoch. Lines break where an epoch is missing.

const NS = "http://www.w3.org/2000/svg";
const MARGIN = { left: 46, right: 46, top: 8, bottom: 32 };
const HEIGHT = 168;
const LINE = 12; // of text

function make(name, attributes = {}, text = "") {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function ticks(low, high, count) {
  const raw = (high - low) / Math.max(count, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw - 1e-12);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/** A panel of `container`, from 0 to epoch `last`, `whole` numbers only or all; `draw(curves)` when what is shown changes, `moveTo(epoch)` for the cursor. */
export function makePanel({ container, title, low, high, last, whole = false, onSeek }) {
  const svg = container.appendChild(make("svg", { class: "panel", role: "img", tabindex: -1 }));
  let width = 0;
  let height = 0;
  let cursor = null;
  const x = (epoch) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * epoch) / (last || 1);
  const y = (value) => height - MARGIN.bottom - ((height - MARGIN.top - MARGIN.bottom) * (value - low)) / (high - low || 1);

  function axes() {
    const grid = svg.appendChild(make("g", { class: "grid" }));
    for (const epoch of ticks(0, last, width > 500 ? 6 : 3)) {
      grid.append(make("line", { x1: x(epoch), x2: x(epoch), y1: MARGIN.top, y2: height - MARGIN.bottom }));
      grid.append(make("text", { x: x(epoch), y: height - MARGIN.bottom + 14, "text-anchor": "middle" }, epoch.toLocaleString("en")));
    }
    for (const value of ticks(low, high, 4).filter((tick) => !whole || Number.isInteger(tick))) {
      grid.append(make("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }));
      grid.append(make("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, value));
    }
    const middle = (MARGIN.top + height - MARGIN.bottom) / 2;
    svg.append(make("text", { class: "title", "text-anchor": "middle", transform: `translate(13 ${middle}) rotate(-90)` }, title));
    svg.append(make("text", { class: "title", x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 4, "text-anchor": "middle" }, "epoch (optimizer steps)"));
  }

  // Names at the right ends, moved apart where they would overlap.
  function names(ends) {
    ends.sort((a, b) => a.y - b.y);
    const apart = Math.min(LINE, (height - MARGIN.top - MARGIN.bottom) / Math.max(ends.length - 1, 1));
    ends.forEach((end, i) => { if (i) end.y = Math.max(end.y, ends[i - 1].y + apart); });
    let room = height - MARGIN.bottom;
    for (const end of ends.toReversed()) {
      end.y = Math.min(end.y, room);
      room = end.y - apart;
      const x1 = width - MARGIN.right + 3;
      svg.append(make("line", { class: "curve", x1, x2: x1 + 7, y1: end.y, y2: end.y, stroke: end.color }));
      svg.append(make("text", { class: "name", x: x1 + 10, y: end.y + 4 }, end.name));
    }
  }

  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    seek(event);
  });
  svg.addEventListener("pointermove", (event) => event.buttons && seek(event));
  function seek(event) {
    const share = (event.offsetX - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
    onSeek(Math.max(0, Math.min(1, share)) * last);
  }

  return {
    /** Curves: {name ("" for none), color, dash, epochs, values, weights}; with weights, dots of that size (0 to 1). */
    draw(curves) {
      svg.replaceChildren();
      width = svg.clientWidth;
      height = HEIGHT;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("aria-label", `${title} of ${curves.map((curve) => curve.name).join(", ")} over epochs`);
      axes();
      const ends = [];
      for (const curve of curves) {
        svg.append(make("path", { class: "curve", d: path(curve), stroke: curve.color, "stroke-dasharray": curve.dash ?? "" }));
        svg.append(dots(curve));
        const end = lastKnown(curve.values);
        if (end >= 0 && curve.name) ends.push({ name: curve.name, color: curve.color, y: y(curve.values[end]) });
      }
      names(ends);
      cursor = svg.appendChild(make("line", { class: "cursor", y1: MARGIN.top, y2: height - MARGIN.bottom }));
    },
    moveTo(epoch) {
      cursor?.setAttribute("transform", `translate(${x(epoch)} 0)`);
    },
  };

  function known(value) {
    return Number.isFinite(value) && value >= low;
  }

  function path({ epochs, values, weights }) {
    let text = "";
    let open = false;
    values.forEach((value, i) => {
      // A category jumps: only equal neighbors are joined.
      const joined = open && !(weights && value !== values[i - 1]);
      if (known(value)) text += `${joined ? "L" : "M"}${x(epochs[i]).toFixed(1)} ${y(value).toFixed(1)}`;
      open = known(value);
    });
    return text;
  }

  // Every point of a curve with weights; of the others those that have no neighbor to draw a line to.
  function dots({ epochs, values, weights, color }) {
    const group = make("g", { fill: color });
    values.forEach((value, i) => {
      const alone = !known(values[i - 1]) && !known(values[i + 1]);
      if (!known(value) || !(weights || alone)) return;
      const r = weights ? 1 + 2.5 * weights[i] : 2.5;
      group.append(make("circle", { cx: x(epochs[i]).toFixed(1), cy: y(value).toFixed(1), r: r.toFixed(1) }));
    });
    return group;
  }

  function lastKnown(values) {
    for (let i = values.length - 1; i >= 0; i--) if (known(values[i])) return i;
    return -1;
  }
}
