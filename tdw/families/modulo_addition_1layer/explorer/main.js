// The neuron explorer: what there is, then stage 1, then what the address asks for in stage 2.

import { complain, say } from "../../explorer/messages.js";
import { makePlayer } from "../../explorer/player.js";
import { fetchJson, fetchSlice } from "../../explorer/slices.js";
import { makeStage1 } from "./stage1.js";
import { makeStage2 } from "./stage2.js";
import { nearest, readState, remember } from "../../explorer/address.js";
import { addressOf, MOST_PICKS } from "./state.js";

const $ = (id) => document.getElementById(id);
const { api, family, variant } = $("explorer").dataset;
const url = (what) => `${api}/${what}/${family}/${variant}`;

async function start() {
  const asked = fetchSlice(url("metrics")).catch((error) => complain("metrics", error));
  const told = await fetchJson(url("explorer"));
  const { p, d_mlp: neurons, n_heads: heads } = told.lengths;
  const meta = { ...told, p, neurons, heads };
  sayGaps(meta);
  sayLater(meta);
  const have = meta.have.neuron_activations;
  if (!have.length) {
    $("stage1").hidden = $("stage2").hidden = true;
    say("empty", "There are no neuron maps of this variant yet.", {
      kind: "warning",
      links: [{ text: "Materialize neuron_activations in Dagster", href: meta.assets.neuron_activations }],
    });
    return;
  }
  const metrics = (await asked) ?? null;
  if (metrics?.problems.length) {
    say("files", `${metrics.problems.length} file(s) could not be read and are left out`, { kind: "error", details: metrics.problems });
  }
  const address = addressOf(meta);
  const state = readState(location.search, address);
  state.at = nearest(have, state.at);
  const view = { api: url, meta, metrics, state, changed: () => remember(state, address) };

  const stage2 = makeStage2(view, { onPicks: (picks) => stage1.setPicks(picks), onSeek: (epoch) => player.goTo(epoch) });
  const stage1 = makeStage1(view, (neuron) => stage2.toggle(neuron));
  const missing = new Set(meta.epochs.filter((epoch) => !have.includes(epoch)));
  const player = makePlayer({
    epochs: meta.epochs,
    missing,
    state,
    marks: meta.marks,
    show: () => {
      stage2.step();
      view.changed();
    },
  });

  listen(view, stage2, meta);
  player.goTo(state.e);
  await Promise.all([stage1.refresh(), stage2.restore()]);
  document.documentElement.dataset.ready = "true";
  performance.mark("tdw-ready"); // benchmarks/web.py reads these
}

function listen(view, stage2, meta) {
  $("add").max = meta.neurons - 1;
  $("picks").addEventListener("submit", (event) => {
    event.preventDefault();
    const neuron = $("add").valueAsNumber;
    if (Number.isInteger(neuron) && neuron >= 0 && neuron < meta.neurons) stage2.toggle(neuron);
    $("add").value = "";
  });
  $("clear").addEventListener("click", () => stage2.clear());
  $("scales").addEventListener("click", () => pickScales(view, stage2));
  $("scale").value = view.state.scale;
  $("scale").addEventListener("change", () => {
    view.state.scale = $("scale").value;
    stage2.step();
    view.changed();
  });
  $("size").value = view.state.maps;
  $("size").addEventListener("change", () => {
    view.state.maps = $("size").value;
    stage2.refill();
    view.changed();
  });
  $("closer").addEventListener("click", () => stage2.zoom(1));
  $("away").addEventListener("click", () => stage2.zoom(-1));
  $("whole").addEventListener("click", () => stage2.whole());
}

/** Pick the representatives of the clusters of scale profiles, from coarse to fine. */
async function pickScales(view, stage2) {
  try {
    const { representatives, sizes } = await fetchSlice(`${view.api("scales")}/${view.state.at}`);
    const standing = [...representatives.data];
    await stage2.pick(standing.slice(0, MOST_PICKS));
    const each = standing.map((neuron, i) => `neuron ${neuron} for ${sizes.data[i]}`).join(", ");
    say("picks", `${standing.length} clusters of scale profiles at epoch ${view.state.at.toLocaleString("en")}, from coarse to fine: ${each}.`);
  } catch (error) {
    complain("picks", error);
  }
}

function sayGaps(meta) {
  if (!meta.gaps.length) return;
  say("gaps", `Not complete: ${meta.gaps.length} of ${meta.kinds} kinds of results lack epochs. Gaps stay empty here.`, {
    kind: "warning",
    details: meta.gaps,
  });
}

function sayLater(meta) {
  const later = meta.on_demand.neuron_activations.length;
  if (!later) return;
  say("later", `Neuron maps of ${later} of ${meta.have.neuron_activations.length} checkpoints are kept on demand: each is computed when you stop at it.`, {
    links: [{ text: "Materialize neuron_activations in Dagster brings them back", href: meta.assets.neuron_activations }],
  });
}

start().catch((error) => complain("start", error));
