// Heat maps that change with the slider, painted over the figure while it moves: Plotly draws everything anew at
// each step, and that takes ten times as long. When the slider rests Plotly shows the same, hover texts included.

const TYPES = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
const LEVELS = 256;

/** {paint(name of a frame), clear()}, or null where something else than heat maps changes; `layer` lies over `div`. */
export function makePainter(div, layer, figure) {
  const moving = figure.frames.every(({ data }) => data.every(({ type, z }) => type === "heatmap" && z?.bdata && z.shape));
  if (!moving) return null;
  const values = new Map(figure.frames.map(({ name, data, traces }) => [name, data.map(({ z }, i) => [traces[i], z])]));
  const tables = new Map();
  let tiles = null; // trace -> {context, picture, pixels, ...}, as the figure is now

  // A canvas over each map; the figure may have another size or other colors than when they were made last.
  function lay() {
    const origin = layer.getBoundingClientRect();
    const full = div._fullLayout;
    tiles = new Map();
    for (const [trace, z] of values.values().next().value) {
      const { xaxis = "x", yaxis = "y", coloraxis } = div._fullData[trace];
      const box = div.querySelector(`.subplot.${xaxis}${yaxis} .heatmaplayer image`)?.getBoundingClientRect();
      if (!box || !coloraxis) continue;
      const [rows, columns] = z.shape.split(",").map(Number);
      const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
      const { style } = canvas;
      Object.assign(style, { left: `${box.left - origin.left}px`, top: `${box.top - origin.top}px`, width: `${box.width}px`, height: `${box.height}px` });
      const context = canvas.getContext("2d");
      const picture = context.createImageData(columns, rows);
      const { cmin, cmax, colorscale } = full[coloraxis];
      const [bottom, top] = full[yaxis.replace("y", "yaxis")].range;
      tiles.set(trace, {
        canvas, context, picture, rows, columns, cmin, up: bottom < top, colors: table(colorscale),
        pixels: new Uint32Array(picture.data.buffer), factor: (LEVELS - 1) / (cmax - cmin || 1),
      });
    }
    layer.replaceChildren(...[...tiles.values()].map(({ canvas }) => canvas));
  }

  function clear() {
    tiles = null;
    layer.replaceChildren();
  }

  function paint(name) {
    if (!tiles) lay();
    for (const [trace, z] of values.get(name)) {
      const tile = tiles.get(trace);
      if (!tile) continue;
      const { context, picture, pixels, colors, rows, columns, cmin, factor, up } = tile;
      const numbers = decode(z);
      for (let row = 0, i = 0; row < rows; row++) {
        let at = (up ? rows - 1 - row : row) * columns;
        for (let column = 0; column < columns; column++, i++, at++) {
          const level = Math.round((numbers[i] - cmin) * factor);
          pixels[at] = Number.isNaN(level) ? 0 : colors[level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : level];
        }
      }
      context.putImageData(picture, 0, 0);
    }
  }

  return { paint, clear };

  // Colors as ImageData holds them, of a scale as Plotly gives it: [[0, "#000004"], ..., [1, "#fcfdbf"]].
  function table(scale) {
    const key = JSON.stringify(scale);
    if (!tables.has(key)) {
      const strip = new OffscreenCanvas(LEVELS, 1).getContext("2d");
      const gradient = strip.createLinearGradient(0, 0, LEVELS, 0);
      for (const [at, color] of scale) gradient.addColorStop(at, color);
      strip.fillStyle = gradient;
      strip.fillRect(0, 0, LEVELS, 1);
      tables.set(key, new Uint32Array(strip.getImageData(0, 0, LEVELS, 1).data.buffer));
    }
    return tables.get(key);
  }
}

function decode({ bdata, dtype }) {
  const bytes = Uint8Array.from(atob(bdata), (character) => character.charCodeAt(0));
  return new TYPES[dtype](bytes.buffer);
}
