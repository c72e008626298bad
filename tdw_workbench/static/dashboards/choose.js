// The dialog in which panels are chosen: plots, views, tables and sections times variants.

import { getJson } from "./data.js";
import { button } from "./pins.js";

const KINDS = [
  ["figure", "Figures"],
  ["maps", "Explorer"],
  ["table", "Tables"],
];
const SIZES = { figure: [4, 8], maps: [4, 8], table: [4, 8], section: [6, 10] };
let told = null;

/** Choose panels and call `add(models)`; without `add`, choose the selector's variants and call `offer(keys)`. */
export async function openChoice(page, add, offer = null) {
  told = page;
  const dialog = document.createElement("dialog");
  dialog.className = "choose";
  dialog.setAttribute("aria-label", add ? "Add panels" : "Variants of the selector");
  const form = dialog.appendChild(Object.assign(document.createElement("form"), { method: "dialog" }));
  form.append(Object.assign(document.createElement("h2"), { textContent: dialog.getAttribute("aria-label") }));
  const search = form.appendChild(Object.assign(document.createElement("input"), { type: "search", placeholder: "search" }));
  search.setAttribute("aria-label", "Search");
  const lists = form.appendChild(document.createElement("div"));
  lists.className = "lists";
  const foot = form.appendChild(document.createElement("p"));
  foot.className = "foot";
  const done = button(add ? "Add" : "Take over", add ? "Add the chosen panels" : "Take over the chosen variants", finish);
  foot.append(done, button("Cancel", "Cancel", () => dialog.close()));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  search.addEventListener("input", () => filter(lists, search.value));
  form.addEventListener("submit", (event) => event.preventDefault());

  let found;
  try {
    found = await getJson(`choices/${told.family}`);
  } catch (error) {
    lists.append(Object.assign(document.createElement("p"), { className: "note error", textContent: `${error.message}\n${error.remedy}` }));
    return;
  }
  if (add) fillPanels(lists, found);
  fillVariants(lists, found, add ? [] : told.dashboard.variants, add ? "Pin to variants (none: as selected)" : "None: all variants");
  form.addEventListener("change", count);
  count();

  function count() {
    const number = add ? chosen().length : checked("variant").length;
    done.textContent = add ? `Add ${number} panel${number === 1 ? "" : "s"}` : number ? `Offer ${number}` : "Offer all";
    done.setAttribute("aria-label", done.textContent); // what it is called is what it shows
    done.disabled = add ? !number : false;
  }

  function checked(kind) {
    return [...lists.querySelectorAll(`input[data-kind="${kind}"]:checked`)];
  }

  function chosen() {
    const keys = checked("variant").map((input) => input.value);
    return ["figure", "maps", "table", "section"].flatMap((kind) => checked(kind).flatMap((input) => {
      const [width, height] = SIZES[kind];
      const model = { kind, name: input.value, width, height, where: input.dataset.where ?? "", part: input.dataset.part ?? "" };
      const over = told.known[kind][input.value].over;
      return over || !keys.length ? [model] : keys.map((variant) => ({ ...model, variant }));
    }));
  }

  function finish() {
    if (add) add(chosen());
    else offer(checked("variant").map((input) => input.value));
    dialog.close();
  }
}

function group(lists, title) {
  const set = lists.appendChild(document.createElement("fieldset"));
  set.append(Object.assign(document.createElement("legend"), { textContent: title }));
  return (kind, value, text, data = {}) => {
    const label = set.appendChild(document.createElement("label"));
    const input = label.appendChild(Object.assign(document.createElement("input"), { type: "checkbox", value }));
    Object.assign(input.dataset, { kind, ...data });
    label.append(` ${text}`);
    return input;
  };
}

function fillPanels(lists, { folders, sections }) {
  for (const [kind, title] of KINDS) {
    const listed = Object.entries(told.known[kind]);
    const own = listed.filter(([, what]) => !what.over);
    if (own.length) {
      const put = group(lists, title);
      for (const [name, what] of own) put(kind, name, what.title);
    }
  }
  const studies = folders.length > 1 ? folders.filter((folder) => folder.includes(".")) : folders;
  for (const folder of studies) {
    const put = group(lists, `Across the variants of ${folder.split(".")[1] ?? "all"}`);
    for (const kind of ["figure", "table"]) {
      for (const [name, what] of Object.entries(told.known[kind])) if (what.over) put(kind, name, what.title, { where: folder });
    }
  }
  const reports = Map.groupBy(sections, (section) => `${section.title && told.known.section[section.name].title} of ${section.where.split(".")[1] ?? "all"}`);
  for (const [title, parts] of reports) {
    const put = group(lists, title);
    for (const { where, name, part, title: text } of parts) put("section", name, text, { where, part });
  }
}

function fillVariants(lists, { variants }, chosen, title) {
  const put = group(lists, title);
  for (const key of variants) put("variant", key, key).checked = chosen.includes(key);
}

function filter(lists, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const label of lists.querySelectorAll("label")) {
    const said = label.textContent.toLowerCase();
    label.hidden = !words.every((word) => said.includes(word)) && !label.firstElementChild.checked;
  }
}
