// A figure in a panel: without the head that its own page has, with a line at the slider's epoch, and with its
// frames where it has some.
/* global Plotly */

import { templateOf } from "../figures.js";
import { getJson } from "./data.js";
import { follow } from "./frames.js";

const LETTER = 6; // CSS pixels, of titles
const SIZE = 11; // of letters
const NARROW = 120;

// The panels ask for their data while the browser still reads Plotly.
const plotly = new Promise((resolve) => {
  if (globalThis.Plotly) resolve();
  else document.getElementById("plotly").addEventListener("load", resolve);
});

/**
 * Draws into `place`; {load(address), show(epoch), theme(), resize()}; `say(text)` is told what is shown, and
 * `choices` takes its buttons.
 */
export function makeFigure(place, { config, say, choices }) {
  const div = place.appendChild(document.createElement("div"));
  div.className = "drawn";
  const over = place.appendChild(document.createElement("div"));
  over.className = "over";
  const lines = place.appendChild(document.createElement("div"));
  lines.className = "cursors";
  let figure = null;
  let frames = null;
  let cursors = [];
  let epoch = null;

  async function load(address) {
    figure = await getJson(address);
    await plotly;
    frames?.stop();
    const menus = compact(figure, place.clientWidth, place.clientHeight);
    await Plotly.newPlot(div, figure.data, { ...figure.layout, template: templateOf(figure) }, config);
    frames = null;
    if (figure.frames?.length) {
      frames = follow(div, over, structuredClone(figure)); // Plotly unpacks the numbers of its own
      await Plotly.addFrames(div, figure.frames);
    }
    choices.replaceChildren(...menus.map(({ buttons, active }) => makeChoice(buttons.map(({ label }) => label), active ?? 0, (place) => {
      const { method, args } = buttons[place];
      Plotly[method](div, ...structuredClone(args));
    })));
    div.on("plotly_afterplot", measure);
    measure();
  }

  // Where the axes of epochs are: moving a line of our own takes no drawing by Plotly.
  function measure() {
    const full = div._fullLayout;
    if (!full?._size) return;
    const { l, t, w, h } = full._size;
    cursors = [];
    for (const axis of Object.values(full)) {
      if (!/^epoch\b/.test(axis?.title?.text ?? "") || axis.visible === false || !axis._length) continue;
      const along = axis._id[0] === "x";
      cursors.push({
        at: (value) => axis._offset + axis.d2p(value),
        from: axis._offset,
        to: axis._offset + axis._length,
        along,
        line: { left: `${along ? 0 : l}px`, top: `${along ? t : 0}px`, width: along ? "" : `${w}px`, height: along ? `${h}px` : "" },
      });
    }
    lines.replaceChildren(...cursors.map(({ along, line }) => {
      const element = document.createElement("i");
      element.className = along ? "upright" : "level";
      Object.assign(element.style, line);
      return element;
    }));
    if (epoch !== null) move();
  }

  function move() {
    cursors.forEach(({ at, from, to, along }, i) => {
      const where = at(epoch);
      const element = lines.children[i];
      element.hidden = !(where >= from - 1 && where <= to + 1);
      element.style.transform = along ? `translateX(${where}px)` : `translateY(${where}px)`;
    });
  }

  return {
    load,
    show(wanted) {
      epoch = wanted;
      if (!div._fullLayout) return;
      move();
      if (frames) say(frames.to(epoch));
    },
    theme: () => div._fullLayout && Plotly.relayout(div, { template: templateOf(figure) }),
    resize() {
      if (!div._fullLayout) return;
      frames?.stop();
      Plotly.Plots.resize(div);
    },
  };
}

// What belongs to a page of its own is left out: its title (the panel has one), its slider (there is one for
// all), its buttons (they are in the panel's head), and room for them.
function compact(figure, width, height) {
  const { layout } = figure;
  const framed = !!layout.sliders;
  const menus = (layout.updatemenus ?? []).filter(({ buttons }) => !buttons.some(({ method }) => method === "animate"));
  delete layout.title;
  delete layout.sliders;
  delete layout.updatemenus;
  layout.font = { size: SIZE };
  const margin = layout.margin ?? {};
  const titled = (margin.t ?? 108) > 108; // of the panels inside
  const square = framed && (margin.l ?? 0) <= 40;
  layout.margin = {
    ...margin,
    l: Math.min(margin.l ?? 70, 62),
    r: Math.min(margin.r ?? 30, square ? 96 : 78),
    t: 12 + (titled ? 20 + (margin.t - 132) : 0),
    b: (square ? 22 : 46),
  };
  layout.margin.b += legendRows(figure, width - layout.margin.l - layout.margin.r) * 19;
  const { l, r, t, b } = layout.margin;
  fitAxes(layout, { x: width - l - r, y: height - t - b });
  return menus;
}

// A short axis has few numbers, and a title without its unit where both don't fit.
function fitAxes(layout, room) {
  for (const [name, axis] of Object.entries(layout)) {
    const [, along] = /^([xy])axis\d*$/.exec(name) ?? [];
    if (!along) continue;
    const [from, to] = (layout[axis.overlaying?.replace(/^[xy]/, "$&axis")] ?? axis).domain ?? [0, 1];
    const length = (to - from) * room[along];
    if (axis.title?.text?.length * LETTER > length) axis.title.text = axis.title.text.replace(/ \([^)]*\)$/, "");
    const needed = (axis.title?.text?.length ?? 0) * LETTER;
    if (needed > length) axis.title.font = { ...axis.title.font, size: Math.max(8, (SIZE * length) / needed) };
    if (along === "x" && length < NARROW && !axis.tickvals) axis.nticks = 3;
  }
}

function legendRows({ data, layout }, width) {
  if (!layout.showlegend) return 0;
  const names = data.filter((trace) => trace.name && trace.showlegend !== false && trace.visible !== false && trace.type !== "heatmap");
  const longest = Math.max(0, ...names.map(({ name }) => name.length));
  const columns = Math.max(1, Math.floor(width / (longest * 5.7 + 44)));
  layout.legend = { ...layout.legend, font: { size: 11 } };
  return Math.ceil(names.length / columns);
}

/** A row of buttons or a menu of a figure, as a choice in the panel's head; `act` takes the place of what is chosen. */
export function makeChoice(labels, active, act) {
  const chooser = document.createElement("select");
  labels.forEach((label, i) => chooser.add(new Option(label, i, false, i === active)));
  chooser.setAttribute("aria-label", `Show ${labels.join(" or ")}`);
  chooser.addEventListener("change", () => act(Number(chooser.value)));
  return chooser;
}
