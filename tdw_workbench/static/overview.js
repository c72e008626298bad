// The first page and the page of a variant: rows follow what is being worked on.

import { watch } from "./now.js";

// Out-of-date results are counted from every file's header, so this is asked after the page is
// there, a variant at a time, those in view first.

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    waiting.push(entry.target);
  }
  work();
});
const waiting = [];
let working = false;

async function work() {
  if (working) return;
  working = true;
  while (waiting.length) await count(waiting.shift());
  working = false;
}

async function count(row) {
  const response = await fetch(row.dataset.outdated);
  if (!response.ok) return;
  const { out_of_date: kinds } = await response.json();
  const parts = Object.entries(kinds).map(([kind, number]) => `${kind} ${number}`);
  if (!parts.length) return;
  const said = row.querySelector(".outdated");
  said.textContent = `out of date: ${parts.join(", ")}`;
  said.hidden = false;
}

const look = (row) => { if (!row.classList.contains("empty")) seen.observe(row); };
document.querySelectorAll("tr[data-outdated]").forEach(look);

// A row that changed is asked for when it is in view: one at each look, so that many cost the server no more
// than one. What has just begun or ended comes first; what a person has opened in a row stays open.
const stale = new Set();
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.dataset.inView = isIntersecting ? "yes" : "";
});
document.querySelectorAll("tr[data-row]").forEach((row) => inView.observe(row));

async function renew() {
  const visible = [...stale].filter((row) => row.dataset.inView);
  const row = visible.find((each) => each.dataset.turned) ?? visible[0];
  if (!row) return;
  stale.delete(row);
  delete row.dataset.turned;
  const response = await fetch(row.dataset.row).catch(() => null);
  if (response?.ok) put(row, await response.text());
}

function put(row, html) {
  const scratch = document.createElement("template");
  scratch.innerHTML = html.trim();
  const fresh = scratch.content.querySelector("tr");
  row.className = fresh.className;
  [...fresh.cells].forEach((cell, at) => {
    const old = row.cells[at];
    const open = old.querySelector("details")?.open;
    const details = cell.querySelector("details");
    if (details && open !== undefined) details.open = open;
    if (old.innerHTML !== cell.innerHTML) old.replaceWith(cell);
  });
  if (!row.querySelector(".state.now")) look(row);
}

// A variant that the page does not show yet: the tables are taken anew.
async function reload(main) {
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main");
  main.replaceChildren(...fresh.childNodes);
  main.querySelectorAll("tr[data-row]").forEach((row) => inView.observe(row));
  main.querySelectorAll("tr[data-outdated]").forEach(look);
  main.dispatchEvent(new Event("tdw-renewed"));
}

const main = document.querySelector("main[data-now]");
main.addEventListener("tdw-rows", ({ detail: rows }) => {
  for (const row of rows) {
    inView.observe(row);
    look(row);
  }
});

// A long table lists variants whose rows are on other pages.
function isListed(place) {
  const [family, key] = place.split("/");
  const long = main.querySelectorAll(`form.choose[data-rows][data-family="${CSS.escape(family)}"]`);
  return [...long].some((form) => form.dataset.configs.includes(`"${key}"`));
}

const unknown = new Set();
const plots = document.getElementById("plots"); // of the variant's own page
async function renewPlots() {
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("plots");
  if (fresh) plots.replaceChildren(...fresh.childNodes);
}

watch(main.dataset.now, (place, mark) => {
  if (plots?.dataset.place === place && !mark) renewPlots();
  const rows = main.querySelectorAll(`tr[data-place="${CSS.escape(place)}"]`);
  for (const row of rows) {
    stale.add(row);
    if (!mark !== !row.querySelector(".state.now")) row.dataset.turned = "yes";
  }
  main.dispatchEvent(new CustomEvent("tdw-changed", { detail: place }));
  if (!rows.length && mark && "all" in main.dataset && !unknown.has(place) && !isListed(place)) {
    unknown.add(place);
    reload(main);
  }
}, renew);
