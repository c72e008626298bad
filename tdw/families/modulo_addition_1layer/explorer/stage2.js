// Stage 2: up to five neurons, and heads beside them, across all checkpoints.

import { makeCard, seriesOf } from "../../explorer/card.js";
import { makePanel } from "../../explorer/lines.js";
import { format } from "../../explorer/lut.js";
import { complain, say } from "../../explorer/messages.js";
import { columnsAt } from "./order.js";
import { fetchSlice } from "../../explorer/slices.js";
import { makeView } from "../../explorer/view.js";
import { MOST_PICKS } from "./state.js";

const $ = (id) => document.getElementById(id);
// Okabe and Ito's colors that can be told apart on white and on black.
export const COLORS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"];
const HEAD_COLORS = ["#56B4E9", "#8C8C8C", "#A69B00", "#CC79A7"];
const DASHES = ["", "7 3", "2 3", "8 3 2 3"];
const LARGEST = 226; // pixels a side that a card shows; larger maps are reduced by area
const KEPT = 10;
const SETTLED = 150; // ms that the slider rests before a map is asked for that has to be computed
// What a slice is read from: epochs at which that is kept on demand are asked for one by one.
const SOURCES = { maps: "neuron_activations", small: "downsampled_activations", heads: "attention_patterns", smallheads: "downsampled_activations" };

/** `view` is {api, meta, metrics, state, changed}; `onPicks(map)` is told the picked neurons and their colors. */
export function makeStage2(view, { onPicks, onSeek }) {
  const { meta, state } = view;
  const neurons = new Map(); // neuron -> {card, color, slot}
  const heads = new Map(); // head -> [card to a, card to b]
  const kept = new Map(); // url -> promise of a slice
  const wanted = new Map(); // card -> url of what it shows, or will
  let resting = 0;
  const size = Math.min(meta.p, LARGEST);
  const last = meta.epochs.at(-1) ?? 0;
  const panels = {};
  const axes = { down: "a ↓", right: "b →" };
  const file = meta.variant;
  const part = makeView(meta.p, state, () => {
    step();
    view.changed();
  });
  const middle = () => part.cursor ?? [part.shown.a, part.shown.b].map((each) => each + part.shown.n / 2);

  function ask(url) {
    if (!kept.has(url)) {
      kept.set(url, fetchSlice(url));
      kept.get(url).catch(() => kept.delete(url));
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    }
    return kept.get(url);
  }

  /** Pick a neuron, or drop it; the sixth is refused with a word. */
  async function toggle(neuron) {
    if (neurons.has(neuron)) return drop(neuron);
    if (neurons.size >= MOST_PICKS) {
      say("picks", `${MOST_PICKS} neurons are picked: drop one first.`, { kind: "warning" });
      return null;
    }
    state.n.push(neuron);
    const added = add(neuron);
    arrangeCards();
    view.changed();
    return added;
  }

  function drop(neuron) {
    neurons.get(neuron)?.card.element.remove();
    neurons.delete(neuron);
    state.n = state.n.filter((each) => each !== neuron);
    say("picks", "");
    arrangeCards();
    view.changed();
  }

  async function add(neuron) {
    const used = new Set([...neurons.values()].map((each) => each.slot));
    const slot = COLORS.findIndex((_, i) => !used.has(i));
    const card = makeCard({
      title: `neuron ${neuron}`,
      color: COLORS[slot],
      unit: "activation (post-ReLU)",
      alt: `activation of neuron ${neuron} over (a, b)`,
      axes,
      file,
      view: part,
      onRemove: () => drop(neuron),
    });
    neurons.set(neuron, { card, slot, color: COLORS[slot] });
    $("maps").append(card.element);
    await fillNeuron(neuron, card);
  }

  const small = () => state.maps === "small";
  const ofNeuron = (neuron) => (small() ? address("small", `neurons=${neuron}`) : address("maps", `neurons=${neuron}${sized()}`));
  const ofHead = (head) => (small() ? address("smallheads", `heads=${head}`) : address("heads", `heads=${head}${sized()}`));
  const fillNeuron = (neuron, card) => fill(card, ofNeuron(neuron), 0);
  const fillHead = (head, cards) => Promise.all(cards.map((card, i) => fill(card, ofHead(head), i)));
  const isLater = (slice, epoch) => meta.on_demand[SOURCES[slice]]?.includes(epoch);
  const address = (slice, query) => `${view.api(slice)}?${query}${isLater(slice, state.e) ? `&at=${state.e}` : ""}`;

  function refill() {
    for (const [neuron, { card }] of neurons) fillNeuron(neuron, card);
    for (const [head, cards] of heads) fillHead(head, cards);
  }

  async function addHead(head) {
    const cards = ["a", "b"].map((to, i) =>
      makeCard({
        title: `head ${head}, attention to ${to}`,
        color: headColor(head),
        dash: i === 1,
        unit: "attention (0 to 1)",
        alt: `attention of head ${head} from = to ${to}, over (a, b)`,
        axes,
        file,
        view: part,
        onRemove: () => toggleHead(head),
      }),
    );
    heads.set(head, cards);
    $("heads").append(...cards.map((card) => card.element));
    await fillHead(head, cards);
  }

  const headColor = (head) => HEAD_COLORS[head % HEAD_COLORS.length];

  async function toggleHead(head) {
    if (heads.has(head)) {
      for (const card of heads.get(head)) card.element.remove();
      heads.delete(head);
      state.h = state.h.filter((each) => each !== head);
    } else {
      state.h.push(head);
      addHead(head);
    }
    arrangeCards();
    view.changed();
  }

  const sized = () => (size < meta.p ? `&size=${size}` : "");

  async function fill(card, url, index) {
    wanted.set(card, url);
    try {
      const slice = await ask(url);
      if (wanted.get(card) !== url) return; // the slider has gone on
      if (slice.problems.length) {
        say("problems", `${slice.problems.length} file(s) could not be read and are left out`, { kind: "error", details: slice.problems });
      }
      card.setSeries(seriesOf(slice, index));
      step();
      performance.mark("tdw-map");
    } catch (error) {
      complain("maps", error);
      card.fail("the maps could not be read");
    }
  }

  /** After a change of what is picked: hints, buttons, lines, marks. */
  function arrangeCards() {
    $("hint").hidden = neurons.size > 0;
    $("lines").hidden = neurons.size + heads.size === 0 || !view.metrics;
    for (const button of $("head-picks").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", heads.has(Number(button.dataset.head)));
    }
    onPicks(new Map([...neurons].map(([neuron, { color }]) => [neuron, color])));
    drawLines();
    step();
  }

  /** Show the state's epoch: the whole work of a step of the slider. */
  function step() {
    const epoch = state.e;
    const columns = columnsAt(view.metrics, epoch);
    const fixed = state.scale === "fixed";
    const moved = [...neurons].some(([i, { card }]) => wanted.get(card) !== ofNeuron(i)) || [...heads].some(([i, [card]]) => wanted.get(card) !== ofHead(i));
    clearTimeout(resting);
    if (moved) resting = setTimeout(refill, SETTLED);
    const later = isLater(small() ? "small" : "maps", epoch);
    for (const [neuron, { card }] of neurons) card.paint(epoch, { fixed, later, numbers: numbersOf(neuron, columns) });
    if (heads.size) paintHeads(epoch, fixed);
    for (const panel of Object.values(panels)) panel.moveTo(epoch);
  }

  function paintHeads(epoch, fixed) {
    const row = view.metrics ? view.metrics.epochs.data.indexOf(epoch) : -1;
    const later = isLater(small() ? "smallheads" : "heads", epoch);
    for (const [head, cards] of heads) {
      cards.forEach((card, i) => {
        const column = view.metrics?.[i ? "head_b_coarseness" : "head_a_coarseness"];
        const value = column && row >= 0 ? column.data[row * column.shape[1] + head] : NaN;
        card.paint(epoch, { fixed, later, numbers: Number.isFinite(value) ? `coarseness ${value.toFixed(3)}` : "not analyzed at this epoch" });
      });
    }
  }

  function numbersOf(neuron, columns) {
    const parts = [];
    if (columns.coarseness) parts.push(`coarseness ${known(columns.coarseness[neuron]) ? columns.coarseness[neuron].toFixed(3) : "–"}`);
    if (columns.frequency?.[neuron] > 0) parts.push(`k = ${columns.frequency[neuron]} (${Math.round(100 * columns.fraction[neuron])} %)`);
    if (columns.variance) parts.push(`variance ${format(columns.variance[neuron])}`);
    if (columns.dead?.[neuron]) parts.push("dead");
    return parts.join(" · ") || "not analyzed at this epoch";
  }

  const known = (value) => Number.isFinite(value) && value >= 0;

  function drawLines() {
    if ($("lines").hidden) return;
    if (!panels.coarseness) {
      const container = $("lines");
      panels.coarseness = makePanel({ container, title: "coarseness (0 to 1)", low: 0, high: 1, last, onSeek });
      panels.frequency = makePanel({ container, title: "frequency k", low: 0, high: (meta.p - 1) / 2, last, whole: true, onSeek });
      let drawn = container.clientWidth;
      new ResizeObserver(() => {
        if (container.clientWidth && container.clientWidth !== drawn) {
          drawn = container.clientWidth;
          drawLines();
          step();
        }
      }).observe(container);
    }
    const curve = (name, column, index, extra) => ({ name, ...extra, ...seriesAt(column, index) });
    const coarse = [...neurons].map(([i, { color }]) => curve(`${i}`, view.metrics.coarseness, i, { color }));
    for (const head of heads.keys()) {
      coarse.push(curve(`h${head}→a`, view.metrics.head_a_coarseness, head, { color: headColor(head), dash: DASHES[1] }));
      coarse.push(curve(`h${head}→b`, view.metrics.head_b_coarseness, head, { color: headColor(head), dash: DASHES[2] }));
    }
    panels.coarseness.draw(coarse.filter((each) => each.values));
    const frequencies = [...neurons].map(([i, { color }]) =>
      curve(`${i}`, view.metrics.frequency, i, { color, weights: seriesAt(view.metrics.fraction, i).values }));
    panels.frequency.draw(frequencies.filter((each) => each.values));
  }

  /** A column over the whole timeline, NaN where an epoch has no number. */
  function seriesAt(column, index) {
    if (!column) return {};
    const rows = new Map([...view.metrics.epochs.data].map((epoch, row) => [epoch, row]));
    const values = meta.epochs.map((epoch) => (rows.has(epoch) ? column.data[rows.get(epoch) * column.shape[1] + index] : NaN));
    return { epochs: meta.epochs, values };
  }

  function headButtons() {
    if (!meta.heads) return;
    $("head-picks").append("heads ");
    for (let head = 0; head < meta.heads; head++) {
      const button = $("head-picks").appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", textContent: head, title: `attention of head ${head} to a and to b` });
      button.dataset.head = head;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => toggleHead(head));
    }
  }

  headButtons();
  return {
    toggle,
    step,
    /** These neurons and no others. */
    pick: (wanted) => {
      [...neurons.keys()].forEach(drop);
      return Promise.all(wanted.map(toggle));
    },
    clear: () => {
      [...neurons.keys()].forEach(drop);
      [...heads.keys()].forEach(toggleHead);
    },
    zoom: (direction) => part.zoom(direction, middle()),
    whole: () => part.whole(),
    /** After a change of which maps are shown. */
    refill,
    restore: async () => {
      const found = [...state.n.map(add), ...state.h.map(addHead)];
      arrangeCards();
      await Promise.all(found);
    },
  };
}
