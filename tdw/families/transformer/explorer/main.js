// The sequence explorer: attention of one head over the tokens of one sequence, across checkpoints.

import { readState, remember } from "../../explorer/address.js";
import { makePanel } from "../../explorer/lines.js";
import { GRADIENT, LUT, format } from "../../explorer/lut.js";
import { complain, say } from "../../explorer/messages.js";
import { makePlayer } from "../../explorer/player.js";
import { fetchJson, fetchSlice } from "../../explorer/slices.js";
import { makePattern } from "./pattern.js";
import { addressOf } from "./state.js";

const $ = (id) => document.getElementById(id);
const { api, family, variant } = $("explorer").dataset;
const url = (what) => `${api}/${what}/${family}/${variant}`;
const SCORES = [["previous_token", "prev", "#E69F00"], ["duplicate_token", "dup", "#56B4E9"], ["prefix_matching", "pref", "#CC79A7"]];

async function start() {
  const told = await fetchJson(url("explorer"));
  if (told.gaps.length) {
    say("gaps", `Not complete: ${told.gaps.length} of ${told.kinds} kinds of results lack epochs. Gaps stay empty here.`, { kind: "warning", details: told.gaps });
  }
  const have = told.have.attention_patterns;
  if (!have.length) {
    $("pattern").hidden = $("sequence").hidden = true;
    say("empty", "There are no attention patterns of this variant yet.", {
      kind: "warning",
      links: [{ text: "Materialize attention_patterns in Dagster", href: told.assets.attention_patterns }],
    });
    return;
  }
  const stored = await fetchSlice(url("sequences"));
  const { n_layers: layers, n_heads: heads, n_ctx: positions } = told.lengths;
  const labels = JSON.parse(new TextDecoder().decode(stored.labels.data));
  const sequences = stored.tokens.shape[0];
  const address = addressOf({ epochs: told.epochs, layers, heads, sequences, positions });
  const state = readState(location.search, address);
  // The last layer's first head, the first sequence and the last query, unless the address says otherwise.
  const first = { l: layers - 1, h: 0, s: 0, q: positions - 1 };
  const get = (name) => state[name][0] ?? first[name];
  const tokensOf = () => (state.of === "mean" ? null : stored.tokens.data.subarray(get("s") * positions, (get("s") + 1) * positions));

  const pattern = makePattern($("map"), { positions, labels }, (query) => set({ q: query }));
  const scores = await fetchSlice(url("scores")).catch((error) => complain("scores", error)) ?? null;
  const panel = makePanel({ container: $("lines"), title: "score (0 to 1)", low: 0, high: 1, last: told.epochs.at(-1) ?? 0, onSeek: (epoch) => player.goTo(epoch) });
  const buttons = tokenButtons();
  let codes = null;
  let rows = new Map();
  let asked = "";

  const missing = new Set(told.epochs.filter((epoch) => !have.includes(epoch)));
  const player = makePlayer({ epochs: told.epochs, missing, state, show: () => { step(); remember(state, address); } });
  fillForm();
  listen();
  player.goTo(state.e);
  await refresh();
  document.documentElement.dataset.ready = "true";
  performance.mark("tdw-ready"); // benchmarks/web.py reads these

  /** After a change of what is chosen: other attention is fetched where it is needed, once for all epochs. */
  async function refresh() {
    showState();
    const where = `${url("attention")}?layer=${get("l")}&head=${get("h")}${state.of === "mean" ? "" : `&sequence=${get("s")}`}`;
    if (asked !== where) {
      asked = where;
      try {
        const slice = await fetchSlice(where);
        if (asked !== where) return;
        codes = slice.codes.data;
        rows = new Map([...slice.epochs.data].map((epoch, row) => [epoch, row]));
        say("files", slice.problems.length ? `${slice.problems.length} file(s) could not be read and are left out` : "", { kind: "error", details: slice.problems });
      } catch (error) {
        codes = null;
        complain("attention", error);
      }
    }
    step();
  }

  /** Show the state's epoch: the whole work of a step of the slider. */
  function step() {
    panel.moveTo(state.e);
    const row = rows.get(state.e);
    const there = codes !== null && row !== undefined;
    $("map-missing").hidden = there || codes === null;
    if (!there) {
      $("map-missing").textContent = `No attention patterns at epoch ${state.e.toLocaleString("en")}: not computed yet.`;
      pattern.clear();
      buttons.forEach((button) => (button.style.background = ""));
      $("map-said").textContent = "";
      return;
    }
    const at = row * positions * positions;
    const query = get("q");
    pattern.paint(codes.subarray(at, at + positions * positions), query);
    const line = codes.subarray(at + query * positions, at + query * positions + query + 1);
    shade(line);
    const best = line.indexOf(Math.max(...line));
    $("map-said").textContent = `query ${named(query)} attends most to ${named(best)}: ${format((line[best] / 255) ** 2)}`;
  }

  function shade(line) {
    const top = state.scale === "whole" ? 255 : Math.max(1, ...line);
    buttons.forEach((button, i) => {
      if (i >= line.length) {
        button.style.background = button.style.color = "";
        return;
      }
      const level = Math.min(255, Math.round((line[i] * 255) / top));
      const color = LUT[level];
      button.style.background = `rgb(${color & 255} ${(color >> 8) & 255} ${(color >> 16) & 255})`;
      button.style.color = level > 150 ? "#000" : "#fff";
    });
  }

  /** In words, when a token is pointed at: writing it for every token would slow the slider. */
  function described(position) {
    const row = rows.get(state.e);
    if (position > get("q")) return `position ${position}: later than the query`;
    if (codes === null || row === undefined) return `position ${position}`;
    const code = codes[(row * positions + get("q")) * positions + position];
    return `position ${position}: ${format((code / 255) ** 2)}`;
  }

  function named(position) {
    const tokens = tokensOf();
    return tokens ? `${position} “${labels[tokens[position]]}”` : `${position}`;
  }

  function tokenButtons() {
    return Array.from({ length: positions }, (_, i) => {
      const button = $("tokens").appendChild(Object.assign(document.createElement("button"), { type: "button" }));
      button.append(document.createTextNode(""), Object.assign(document.createElement("small"), { textContent: i }));
      button.addEventListener("click", () => set({ q: i }));
      button.addEventListener("pointerenter", () => (button.title = described(i)));
      return button;
    });
  }

  function showState() {
    const tokens = tokensOf();
    pattern.setTokens(tokens);
    buttons.forEach((button, i) => {
      button.firstChild.textContent = tokens ? labels[tokens[i]] : "·";
      button.setAttribute("aria-pressed", i === get("q"));
      button.setAttribute("aria-label", `position ${i}${tokens ? `, token ${labels[tokens[i]]}` : ""}`);
    });
    $("layer").value = get("l");
    $("head").value = get("h");
    $("which").value = state.of === "mean" ? "mean" : get("s");
    $("query").value = get("q");
    $("scale").value = state.scale;
    drawScores();
    $("counts").textContent = `${counted(layers, "layer")} · ${counted(heads, "head")} in each · ${counted(positions, "position")} · patterns at ${have.length} of ${told.epochs.length} checkpoints`;
  }

  function drawScores() {
    if (!scores) return;
    const place = get("l") * heads + get("h");
    const at = new Map([...scores.epochs.data].map((epoch, row) => [epoch, row]));
    const curves = SCORES.map(([name, short, color]) => ({
      name: short, color, epochs: told.epochs,
      values: told.epochs.map((epoch) => (at.has(epoch) ? scores[name].data[at.get(epoch) * layers * heads + place] : NaN)),
    }));
    const even = SCORES.map((_, i) => ({ name: "", color: "#8C8C8C", dash: "2 3", epochs: told.epochs, values: told.epochs.map(() => scores.chance.data[i]) }));
    panel.draw([...even.slice(0, 2), ...curves]);
    panel.moveTo(state.e);
  }

  function set(change) {
    for (const [name, value] of Object.entries(change)) state[name] = Array.isArray(state[name]) ? [value] : value;
    remember(state, address);
    refresh();
  }

  function fillForm() {
    for (let i = 0; i < layers; i++) $("layer").add(new Option(i, i));
    for (let i = 0; i < heads; i++) $("head").add(new Option(i, i));
    for (let i = 0; i < sequences; i++) $("which").add(new Option(i, i));
    $("which").add(new Option("mean of the probe", "mean"));
    $("query").max = positions - 1;
    const band = Object.assign(document.createElement("span"), { className: "band" });
    band.style.background = GRADIENT;
    $("bar").className = "colorbar";
    $("bar").append("0", band, "1", " attention, by its square root: the middle color is 0.25");
  }

  function listen() {
    $("choices").addEventListener("submit", (event) => event.preventDefault());
    $("layer").addEventListener("change", () => set({ l: Number($("layer").value) }));
    $("head").addEventListener("change", () => set({ h: Number($("head").value) }));
    $("scale").addEventListener("change", () => set({ scale: $("scale").value }));
    $("which").addEventListener("change", () => set($("which").value === "mean" ? { of: "mean" } : { of: "sequence", s: Number($("which").value) }));
    $("query").addEventListener("change", () => {
      const query = $("query").valueAsNumber;
      set({ q: Number.isInteger(query) ? Math.max(0, Math.min(positions - 1, query)) : get("q") });
    });
    $("map").addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      set({ q: Math.max(0, Math.min(positions - 1, get("q") + step)) });
    });
    new ResizeObserver(drawScores).observe($("lines"));
  }
}

function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

start().catch((error) => complain("start", error));
