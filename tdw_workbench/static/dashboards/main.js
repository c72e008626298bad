// A dashboard: panels in a grid, one slider and one choice of the variant for all that have epochs and variants.

import { readState, remember } from "../explorer/address.js";
import { makePlayer } from "../explorer/player.js";
import { offline } from "./data.js";
import { makePanel } from "./panel.js";

const page = document.getElementById("dashboard");
const grid = document.getElementById("panels");
const chooser = document.getElementById("variant");
const data = JSON.parse(page.dataset.dashboard);

const query = new URLSearchParams(location.search);
const address = {
  epochs: data.epochs,
  at: ["e"],
  lists: {},
  choices: { variant: data.variants.length ? data.variants : [""], version: ["", query.get("version") ?? ""] },
  numbers: [],
};
const state = readState(location.search, address);
const told = {
  ...data,
  family: data.dashboard.family,
  config: JSON.parse(page.dataset.config),
  root: page.dataset.root,
  state,
};
const panels = [];

const kept = () => offline || remember(state, address);

// Panels are drawn when they come into view, so that many of them open as fast as few.
const opening = [];
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const drawn = panels.find(({ element }) => element === entry.target)?.visible(entry.isIntersecting);
    if (drawn) opening.push(drawn);
  }
  if (document.documentElement.dataset.ready === undefined) ready();
});

async function ready() {
  document.documentElement.dataset.ready = ""; // asked once
  await Promise.all(opening);
  document.documentElement.dataset.ready = "true";
  performance.mark("tdw-ready"); // benchmarks/web.py reads these
  rest();
}

// The panels further down, one by one while nothing else is to do: who scrolls finds them drawn.
function rest() {
  requestIdleCallback(async () => {
    const next = inOrder().find((panel) => !panel.drawn());
    if (!next) return performance.mark("tdw-all");
    await next.draw();
    rest();
  });
}

/** Add a panel, before `next` or at the end. */
function add(model, html, next = null) {
  const panel = makePanel(model, told, html);
  panels.push(panel);
  grid.insertBefore(panel.element, next);
  sight.observe(panel.element);
  return panel;
}

function drop(panel) {
  sight.unobserve(panel.element);
  panel.element.remove();
  panels.splice(panels.indexOf(panel), 1);
}

/** In the order in which they stand. */
const inOrder = () => [...grid.children].map((element) => panels.find((panel) => panel.element === element));

for (const variant of data.variants) chooser.add(new Option(variant, variant, false, variant === state.variant));
chooser.addEventListener("change", () => {
  state.variant = chooser.value;
  for (const panel of panels) panel.refresh();
  kept();
});

data.dashboard.panels.forEach((model, i) => add(model, data.notes[i]));
const player = document.getElementById("player");
player.hidden = data.epochs.length < 2;
const { goTo } = makePlayer({
  epochs: data.epochs,
  missing: new Set(),
  state,
  show() {
    for (const panel of panels) panel.show();
    kept();
  },
});
goTo(state.e);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => panels.forEach((panel) => panel.theme()));
if (!panels.length) ready();
if (page.dataset.editable) {
  import("./compose.js").then(({ compose }) => compose({ told, panels, add, drop, inOrder, grid }));
}
