// Stage 1: all neurons of one checkpoint; sort, filter, hover, pick.

import { colorBar, format } from "../../explorer/lut.js";
import { complain } from "../../explorer/messages.js";
import { Mosaic } from "../../explorer/mosaic.js";
import { arrange, columnsAt, describe } from "./order.js";
import { fetchSlice } from "../../explorer/slices.js";

const $ = (id) => document.getElementById(id);
const NUMBERS = { cmin: "cmin", cmax: "cmax", k: "k", xmin: "xmin", vmin: "vmin" };
const CHOICES = ["sort", "dead", "tiles"];

/** `view` is {api, meta, metrics, state, changed}; `onPick(neuron)` picks or drops one. */
export function makeStage1(view, onPick) {
  const { meta, state } = view;
  const bar = colorBar("activation (post-ReLU)");
  $("mosaic-frame").before(bar.element);
  const mosaic = new Mosaic({ canvas: $("mosaic"), marks: $("mosaic-marks"), side: meta.p, onPick, onLook: look, said: announce });
  let tiles = null;
  let shown = "";
  let columns = columnsAt(view.metrics, state.at);
  let asked = { address: "", done: null, control: null };

  fillForm();
  listen();
  new ResizeObserver(() => refresh()).observe($("mosaic-frame"));

  /** Bring what is on the screen in line with the state; asks the server only when other tiles are needed. */
  async function refresh() {
    columns = columnsAt(view.metrics, state.at);
    const address = `${view.api("mosaic")}/${state.at}?size=${mosaic.tileSize(meta.neurons)}`;
    if (shown !== address) await load(address);
    paint();
  }

  function load(address) {
    if (asked.address === address) return asked.done;
    asked.control?.abort();
    const control = new AbortController();
    asked = { address, control, done: fetchSlice(address, control.signal).then(arrived, failed) };
    return asked.done;

    function arrived(slice) {
      tiles = slice;
      shown = address;
      mosaic.setTiles(slice);
      complain("mosaic", { message: "" });
    }

    function failed(error) {
      if (error.name !== "AbortError") complain("mosaic", error);
    }
  }

  function paint() {
    const order = arrange(meta.neurons, columns, state);
    const common = state.tiles === "common" && tiles ? range(order) : null;
    mosaic.draw(order, common);
    if (common) bar.set(...common);
    else bar.say("lowest of each", "highest of each");
    $("counts").textContent = `${order.length} of ${meta.neurons} neurons · p = ${meta.p} · maps at ${meta.have.neuron_activations.length} of ${meta.epochs.length} checkpoints`;
    view.painted?.();
  }

  function range(order) {
    let [from, to] = [Infinity, -Infinity];
    for (const i of order) {
      from = Math.min(from, tiles.low.data[i]);
      to = Math.max(to, tiles.low.data[i] + 255 * tiles.scale.data[i]);
    }
    return [from, to];
  }

  function look(neuron, event) {
    const tip = $("tip");
    tip.hidden = neuron === null;
    if (neuron === null) return;
    tip.textContent = describe(neuron, columns, format);
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    tip.style.transform = `translate(${left}px, ${Math.min(event.clientY + 14, innerHeight - 40)}px)`;
  }

  function announce(neuron) {
    $("mosaic-said").textContent = describe(neuron, columns, format);
  }

  function fillForm() {
    for (const epoch of meta.have.neuron_activations) {
      $("at").add(new Option(epoch.toLocaleString("en"), epoch, false, epoch === state.at));
    }
    for (const k of knownFrequencies()) $("k").add(new Option(k, k));
    showState();
  }

  function knownFrequencies() {
    const all = view.metrics?.frequency?.data ?? [];
    return [...new Set(all)].filter((k) => k > 0).sort((a, b) => a - b);
  }

  function showState() {
    $("at").value = state.at;
    for (const id of CHOICES) $(id).value = state[id];
    for (const [id, name] of Object.entries(NUMBERS)) $(id).value = state[name] ?? "";
    const down = state.dir === "down";
    $("direction").textContent = down ? "descending" : "ascending";
    $("direction").setAttribute("aria-pressed", down);
    const band = state.cmin === null && state.cmax === null ? "" : `${state.cmin ?? ""}-${state.cmax ?? ""}`;
    for (const button of document.querySelectorAll("[data-band]")) {
      button.setAttribute("aria-pressed", button.dataset.band === band);
    }
  }

  function listen() {
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    const change = (change) => {
      Object.assign(state, change);
      showState();
      refresh();
      view.changed();
    };
    $("at").addEventListener("change", () => change({ at: Number($("at").value) }));
    $("at-cursor").addEventListener("click", () => {
      if (meta.have.neuron_activations.includes(state.e)) change({ at: state.e });
    });
    for (const id of CHOICES) $(id).addEventListener("change", () => change({ [id]: $(id).value }));
    for (const [id, name] of Object.entries(NUMBERS)) {
      $(id).addEventListener("change", () => change({ [name]: $(id).value === "" ? null : Number($(id).value) }));
    }
    $("direction").addEventListener("click", () => change({ dir: state.dir === "up" ? "down" : "up" }));
    for (const button of document.querySelectorAll("[data-band]")) {
      button.addEventListener("click", () => {
        const [low, high] = button.dataset.band.split("-");
        change({ cmin: low ? Number(low) : null, cmax: high ? Number(high) : null });
      });
    }
  }

  return { refresh, setPicks: (picks) => mosaic.setPicks(picks) };
}
