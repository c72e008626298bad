// The first page: which variants are shown, in which order, and which of them are chosen to be compared.

import { putQuery } from "../explorer/address.js";
import { makeTable } from "./table.js";

const MOST = 200, LONGEST = 7500; // variants of one comparison, letters of its address
const main = document.querySelector("main[data-all]");
const bar = document.getElementById("chosen");
const query = new URLSearchParams(location.search); // says what is shown and chosen
const chosen = new Map(); // family -> keys, in the order in which they were chosen
let kept = []; // groups that were put aside: {family, keys}
let tables = [];

const of = (family) => chosen.get(family) ?? chosen.set(family, new Set()).get(family);

function begin() {
  tables = [...main.querySelectorAll("form.choose")].map((form) => makeTable(form, { pick, changed: remember, placed: check }));
  const show = new URLSearchParams(query.get("show") ?? "");
  for (const table of tables) if (show.get("in") === table.name) table.restore(show);
  paint();
}

function pick(family, keys, on) {
  for (const key of keys) of(family)[on ? "add" : "delete"](key);
  paint();
  remember();
}

/** Boxes say what is chosen. */
function check() {
  for (const row of main.querySelectorAll("tr[data-place]")) {
    const [family, key] = row.dataset.place.split("/");
    row.querySelector(".pick").checked = of(family).has(key);
  }
}

/** Boxes and the bar do. */
function paint() {
  check();
  const links = [...chosen].filter(([, keys]) => keys.size).map(([family, keys]) => [family, [...keys]]);
  for (const { family } of kept) if (!links.some(([name]) => name === family)) links.push([family, []]);
  bar.hidden = !links.length;
  bar.replaceChildren(...links.flatMap(([family, keys]) => parts(family, keys, links.length > 1)));
  if (!bar.hidden) bar.append(button("clear", clear));
}

function parts(family, keys, several) {
  const groups = kept.filter((group) => group.family === family).map((group) => group.keys);
  const all = [...groups, keys].filter((side) => side.length);
  const count = all.reduce((sum, side) => sum + side.length, 0);
  const url = `${main.dataset.compare}${family}?${all.map((side) => `v=${side.map(encodeURIComponent).join(",")}`).join("&")}`;
  const words = [`${keys.length} chosen`, ...groups.map((group, i) => `group ${i + 1}: ${group.length}`)];
  const said = Object.assign(document.createElement("span"), { textContent: (several ? `${family}: ` : "") + words.join(" · ") });
  const found = [said];
  if (count > MOST || url.length > LONGEST) {
    found.push(Object.assign(document.createElement("span"), { className: "said bad", textContent: "too many for one comparison: choose fewer" }));
  } else if (count > 1) {
    found.push(Object.assign(document.createElement("a"), { className: "button go", href: url, textContent: all.length > 1 ? `Compare ${all.length} groups` : `Compare ${count}` }));
  }
  if (keys.length) {
    const aside = button("keep as a group", () => {
      kept.push({ family, keys });
      of(family).clear();
      paint();
      remember();
    });
    aside.title = "put these aside and choose those that they are compared with";
    found.push(aside);
  }
  return found;
}

function clear() {
  chosen.clear();
  kept = [];
  paint();
  remember();
}

function button(text, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", act);
  return made;
}

function remember(table) {
  if (table) put("show", table.state());
  const families = [...chosen].filter(([, keys]) => keys.size).map(([family, keys]) => `${family}:${[...keys].join(",")}`);
  put("chosen", families.join(";"));
  if (query.toString().length < LONGEST) putQuery(query);
}

function put(name, value) {
  if (value) query.set(name, value);
  else query.delete(name);
}

for (const part of (query.get("chosen") ?? "").split(";")) {
  const [family, keys] = part.split(":");
  if (keys) for (const key of keys.split(",")) of(family).add(key);
}
main.addEventListener("change", (event) => {
  if (!event.target.matches(".pick")) return;
  const [family, key] = event.target.closest("tr").dataset.place.split("/");
  pick(family, [key], event.target.checked);
});
main.addEventListener("tdw-renewed", begin);
main.addEventListener("tdw-changed", ({ detail: place }) => { for (const table of tables) table.forget(place); });
// A list of values closes when something else is clicked, or with Escape.
addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".filter[open]")) if (!open.contains(event.target)) open.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll(".filter[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
    event.preventDefault();
  }
});
begin();
document.documentElement.dataset.choose = "ready";
