// The page of a figure of maps: every epoch there is, from one answer of the server.

import { putQuery } from "../explorer/address.js";
import { save } from "../explorer/download.js";
import { makePlayer } from "../explorer/player.js";
import { fetchSlice } from "../explorer/slices.js";
import { makeBar, makeSheet } from "./sheet.js";

const $ = (id) => document.getElementById(id);
const view = $("maps-view");
const query = new URLSearchParams(location.search);
let shown = null; // {about, sheet}
let player = null;
const state = { e: null };
let latest = 0; // what is asked for: an answer that a later one has overtaken changes nothing any more

async function load(listed) {
  const own = ++latest;
  $("grid").classList.add("loading");
  try {
    const maps = await fetchSlice(view.dataset.maps + (listed ? `?n=${listed}` : ""));
    if (own !== latest) return;
    const about = said(maps.about);
    $("said").textContent = about;
    shown = { about: maps.about, sheet: makeSheet($("grid"), maps, (text) => { $("said").textContent = text || about; }) };
    makeScales(maps.about);
    $("problem").hidden = true;
    remember("n", listed);
    if ($("choice")) tellChoice(maps.about, listed);
    const wanted = state.e ?? Number(query.get("e") ?? maps.about.epochs.at(-1));
    player ??= makePlayer({ epochs: maps.about.epochs, missing: new Set(), state, show });
    player.goTo(wanted);
    document.documentElement.dataset.ready = "true";
    performance.mark("tdw-ready"); // benchmarks/web.py reads these
  } catch (error) {
    if (own !== latest) return;
    $("problem").textContent = [error.message, error.remedy].filter(Boolean).join("\n");
    $("problem").hidden = false;
  }
  $("grid").classList.remove("loading");
}

function said({ x, y, down, side, epochs, note }) {
  const axes = `${x} to the right, ${y} ${down ? "downward" : "upward"}, 0 to ${side - 1}`;
  return [`${epochs.length} epochs`, axes, note].filter(Boolean).join(" · ");
}

function show(epoch) {
  shown.sheet.paint(shown.about.epochs.indexOf(epoch));
  remember("e", epoch === shown.about.epochs.at(-1) ? null : epoch);
}

function makeScales({ scales }) {
  $("scales").replaceChildren(...scales.flatMap((scale, i) => [makeBar(scale), ...ends(scale, i)]));
}

/** Buttons that choose where a scale of colors ends. */
function ends({ tops, unit, top, title }, index) {
  if (!tops.length) return [];
  const group = Object.assign(document.createElement("span"), { className: "group" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `${title}: where the colors end`);
  const set = (value) => {
    shown.sheet.setTop(index, value);
    $("scales").querySelectorAll(".colorbar .end")[index].textContent = `${value}${unit}`;
    for (const each of group.children) each.setAttribute("aria-pressed", String(Number(each.dataset.top) === value));
  };
  for (const value of tops) {
    const button = group.appendChild(Object.assign(document.createElement("button"), { type: "button", textContent: `to ${value}${unit}` }));
    button.dataset.top = value;
    button.addEventListener("click", () => {
      set(value);
      remember("top", value === top ? null : value);
      player.goTo(state.e);
    });
  }
  const named = Number(query.get("top"));
  queueMicrotask(() => {
    set(tops.includes(named) ? named : top);
    player?.goTo(state.e);
  });
  return [group];
}

function tellChoice({ chosen }, listed) {
  if (document.activeElement !== $("listed")) $("listed").value = chosen.join(", ");
  $("spread").disabled = !listed;
}

$("choice")?.addEventListener("submit", (event) => {
  event.preventDefault();
  load($("listed").value.split(/[\s,;]+/).filter(Boolean).join(","));
});
$("spread")?.addEventListener("click", () => load(""));
$("png")?.addEventListener("click", () => {
  const heading = `${document.title} · epoch ${state.e.toLocaleString("en")}`;
  shown?.sheet.picture(heading).toBlob((blob) => save(blob, `${view.dataset.name}_${state.e}.png`));
});

/** What is looked at stands in the address. */
function remember(name, value) {
  if (value === null || value === "" || value === undefined) query.delete(name);
  else query.set(name, value);
  putQuery(query);
}

load(query.get("n") ?? "");
