// Colors of values: viridis (S. van der Walt and N. Smith, CC0), perceptually uniform and readable for
// color-blind people; 33 points of it, linear between them.

const POINTS =
  "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e21918c1f988b1fa08822a78528ae8032b67a3fbc734ec36b5ec96270cf5784d44b98d83eaddc30c2df23d8e219ece51bfde725";

const byte = (i) => parseInt(POINTS.slice(2 * i, 2 * i + 2), 16);
const LAST = POINTS.length / 6 - 1;

/** 256 colors as ImageData holds them, little-endian ABGR. */
export const LUT = new Uint32Array(256);

/** The same points for a CSS gradient. */
export const GRADIENT = `linear-gradient(90deg, ${Array.from({ length: LAST + 1 }, (_, i) => `#${POINTS.slice(6 * i, 6 * i + 6)}`).join(", ")})`;

for (let i = 0; i < 256; i++) {
  const place = (i / 255) * LAST;
  const at = Math.min(Math.floor(place), LAST - 1);
  const channel = (c) => Math.round(byte(3 * at + c) * (1 - place + at) + byte(3 * at + 3 + c) * (place - at));
  LUT[i] = ((255 << 24) | (channel(2) << 16) | (channel(1) << 8) | channel(0)) >>> 0;
}

/** Colors of the 8-bit codes of a map (value = low + scale * code) on the range from `from` to `to`. */
export function table(low, scale, from, to, into = new Uint32Array(256)) {
  const width = to - from;
  const factor = width > 0 ? 255 / width : 0;
  for (let code = 0; code < 256; code++) {
    const level = Math.round((low + scale * code - from) * factor);
    into[code] = LUT[level < 0 ? 0 : level > 255 ? 255 : level];
  }
  return into;
}

/** A color bar with its two ends in numbers. */
export function colorBar(unit) {
  const bar = document.createElement("div");
  bar.className = "colorbar";
  const [low, band, high] = ["span", "span", "span"].map((tag) => bar.appendChild(document.createElement(tag)));
  band.className = "band";
  band.style.background = GRADIENT;
  bar.title = unit;
  return {
    element: bar,
    set(from, to) {
      low.textContent = format(from);
      high.textContent = format(to);
    },
    say(from, to) {
      low.textContent = from;
      high.textContent = to;
    },
  };
}

/** A number in three digits. */
export function format(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  return size >= 1e4 || size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}
