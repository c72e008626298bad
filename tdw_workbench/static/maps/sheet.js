// Maps side by side, drawn from codes in memory: a step of the slider paints and asks nobody.

const PIXEL = 0xff000000;

/** 256 colors of a scale as ImageData holds them, from six hexadecimal digits each. */
function colorsOf(hex) {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const rgb = parseInt(hex.slice(6 * i, 6 * i + 6), 16);
    return (PIXEL | ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
  });
}

/** A scale of colors with its name and its ends; the upper one is of the class "end". */
export function makeBar({ title, unit, top, colors }) {
  const box = Object.assign(document.createElement("div"), { className: "colorbar" });
  const [low, band, high] = ["span", "span", "span"].map((tag) => box.appendChild(document.createElement(tag)));
  low.textContent = `${title} 0`;
  high.textContent = `${top}${unit}`;
  high.className = "end";
  band.className = "band";
  const points = Array.from({ length: 33 }, (_, i) => Math.min(255, 8 * i));
  band.style.background = `linear-gradient(90deg, ${points.map((i) => `#${colors.slice(6 * i, 6 * i + 6)}`).join(", ")})`;
  return box;
}

/** `maps` is a slice {values, about}; `tell(text)` says what is under the pointer. Returns {paint, setTop, picture}. */
export function makeSheet(grid, maps, tell) {
  const { about, values } = maps;
  const [, count, side] = values.shape;
  const size = side * side;
  const scales = about.scales.map((scale) => ({ ...scale, colors: colorsOf(scale.colors) }));
  const tables = scales.map(() => new Uint32Array(Math.max(...scales.map((scale) => scale.top), 255) + 1));
  const at = { row: 0 };
  grid.style.setProperty("--columns", about.columns);
  grid.style.setProperty("--widest", about.columns > 4 ? "180px" : "320px");
  const cells = about.names.map((name, index) => makeCell(name, index));
  grid.replaceChildren(...cells.map((cell) => cell.figure));
  scales.forEach((scale, i) => setTop(i, scale.top));

  function makeCell(name, index) {
    const figure = document.createElement("figure");
    const caption = figure.appendChild(document.createElement("figcaption"));
    const canvas = figure.appendChild(document.createElement("canvas"));
    canvas.width = canvas.height = side;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name} over ${about.x} and ${about.y}`);
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    canvas.addEventListener("pointermove", (event) => told(index, event, canvas));
    canvas.addEventListener("pointerleave", () => tell(""));
    return { figure, caption, canvas, context, image, pixels: new Uint32Array(image.data.buffer), scale: about.scale[index] };
  }

  const lineOf = (line) => (about.down ? line : side - 1 - line);

  function told(index, event, canvas) {
    const box = canvas.getBoundingClientRect();
    const cell = (place, length) => Math.min(side - 1, Math.max(0, Math.floor((side * place) / length)));
    const column = cell(event.clientX - box.left, box.width);
    const row = lineOf(cell(event.clientY - box.top, box.height));
    const place = (i) => Math.round(((i + 0.5) * about.side) / side - 0.5);
    const value = values.data[(at.row * count + index) * size + row * side + column];
    tell(`${about.names[index]} · ${about.y} = ${place(row)}, ${about.x} = ${place(column)} · ${value}${about.unit}`);
  }

  function setTop(index, top) {
    const { colors } = scales[index];
    const table = tables[index];
    for (let code = 0; code < table.length; code++) table[code] = colors[Math.min(255, Math.round((255 * code) / top))];
  }

  /** Show the epoch in this place of the list. */
  function paint(row) {
    at.row = row;
    const titles = about.titles[about.titles.length > 1 ? row : 0];
    cells.forEach((cell, index) => {
      const from = (row * count + index) * size;
      const table = tables[cell.scale];
      for (let line = 0; line < side; line++) {
        const source = from + lineOf(line) * side;
        const target = line * side;
        for (let i = 0; i < side; i++) cell.pixels[target + i] = table[values.data[source + i]];
      }
      cell.context.putImageData(cell.image, 0, 0);
      if (cell.caption.textContent !== titles[index]) cell.caption.textContent = cell.caption.title = titles[index];
    });
  }

  /** All maps with their titles as one canvas, light, for papers. */
  function picture(heading) {
    const zoom = Math.max(1, Math.round(240 / side));
    const [edge, gap, head] = [side * zoom, 16, 24];
    const rows = Math.ceil(count / about.columns);
    const canvas = document.createElement("canvas");
    canvas.width = about.columns * (edge + gap) + gap;
    canvas.height = 40 + rows * (edge + gap + head) + gap;
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = "#1f2730";
    context.imageSmoothingEnabled = false;
    context.font = "20px system-ui, sans-serif";
    context.fillText(heading, gap, 30);
    context.font = "15px system-ui, sans-serif";
    cells.forEach((cell, index) => {
      const x = gap + (index % about.columns) * (edge + gap);
      const y = 40 + Math.floor(index / about.columns) * (edge + gap + head);
      context.fillText(cell.caption.textContent, x, y + 17, edge);
      context.drawImage(cell.canvas, x, y + head, edge, edge);
    });
    return canvas;
  }

  return { paint, setTop, picture };
}
