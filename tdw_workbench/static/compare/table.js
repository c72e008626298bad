// One table of variants: its rows are searched, filtered, sorted and grouped by the fields of their configurations.

import { makePages } from "./pages.js";

const AT_ONCE = 30; // rows
const NAMED = /^([a-z]\w*)(<=|>=|=|<|>)(.+)$/i;
const TESTS = {
  "=": (one, other) => one === other, "<": (one, other) => one < other, ">": (one, other) => one > other,
  "<=": (one, other) => one <= other, ">=": (one, other) => one >= other,
};
const { compare } = new Intl.Collator("en", { numeric: true });
const number = (value) => (value === "" ? NaN : Number(value));
const order = (one, other) => {
  const [a, b] = [number(one), number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? compare(String(one), String(other)) : a - b;
};

/** `pick(family, keys, on)` chooses variants; `changed(table)` is told of what is shown, `placed()` of other rows. */
export function makeTable(form, { pick, changed, placed: drawn }) {
  const { family, name } = form.dataset;
  const { fields, of } = JSON.parse(form.dataset.configs);
  const body = form.parentElement.querySelector("tbody");
  const head = body.parentElement.tHead.rows[0];
  const filters = [...form.querySelectorAll(".filter")];
  const down = form.querySelector("[data-down]");
  const { q, sort, group } = form.elements;
  const present = new Map([...body.rows].map((row) => [row.dataset.place?.split("/")[1], row]));
  const entries = of.map(([key, ...values]) => {
    const config = Object.fromEntries(fields.map((field, i) => [field, values[i]]));
    const words = [key, ...fields.map((field) => `${field}=${config[field]}`)].join(" ").toLowerCase();
    return { row: present.get(key), key, config, words, fit: true, said: [] };
  });
  // Of more variants than a page holds, the body has the rows of a page; otherwise all, those that don't fit hidden.
  const pages = form.dataset.page ? makePages(form, entries, { came: () => reveal(place()), said: update, turned: update }) : null;
  let placed = "";
  let revealing = 0;

  /** Cells between the first and the last: texts where there are pages. */
  const cells = (each) => (pages ? each.said : [...each.row.cells].slice(1, -1));
  const text = (cell) => cell?.textContent ?? cell ?? "";
  const named = (word) => {
    const [, field, sign, value] = NAMED.exec(word) ?? [];
    return { known: field && fields.find((each) => each.toLowerCase() === field), sign, value };
  };

  /** Whether a word of the search fits: `p=59` by value, any other as a part of the key, a field or a result. */
  function fits(each, word) {
    const { config, words } = each;
    const { known, sign, value } = named(word);
    if (known) {
      const [a, b] = [number(config[known]), number(value)];
      const asText = Number.isNaN(a) || Number.isNaN(b);
      return TESTS[sign](asText ? String(config[known]).toLowerCase() : a, asText ? value : b);
    }
    return words.includes(word) || cells(each).some((cell) => text(cell).toLowerCase().includes(word));
  }

  /** What each filter allows: listed values, or a range. */
  function limits() {
    return filters.map((filter) => {
      const [low, high] = ["low", "high"].map((end) => number(filter.querySelector(`[data-end=${end}]`)?.value ?? ""));
      const on = [...filter.querySelectorAll("input:checked")].map((box) => box.value);
      return { field: filter.dataset.field, low, high, on };
    });
  }

  function allowed({ config }, { field, low, high, on }) {
    const value = config[field];
    return (!on.length || on.some((each) => order(each, value) === 0)) && !(value < low) && !(value > high);
  }

  /** The text of a column of results: what is no number, such as an outcome that was not reached, comes last. */
  function result(each, at) {
    const found = text(cells(each)[at - 1]).trim();
    return /^[\d.,]+$/.test(found) ? Number(found.replaceAll(",", "")) : Infinity;
  }

  function sorted() {
    const by = sort.value;
    const title = sort.selectedOptions[0].dataset.title;
    const at = [...head.cells].findIndex((cell) => cell.firstChild.textContent.trim() === title);
    const values = new Map(by ? entries.map((each) => [each, title ? result(each, at) : each.config[by]]) : []);
    const found = [...entries];
    if (by) found.sort((one, other) => order(values.get(one), values.get(other)));
    if (down.getAttribute("aria-pressed") === "true") found.reverse();
    if (group.value) found.sort((one, other) => order(one.config[group.value], other.config[group.value]));
    return found;
  }

  function update() {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (sort.selectedOptions[0].dataset.title || words.some((word) => !named(word).known)) pages?.hear();
    const allow = limits();
    for (const each of entries) {
      each.fit = allow.every((limit) => allowed(each, limit)) && words.every((word) => fits(each, word));
      if (!each.fit && !pages && !each.row.hidden) each.row.hidden = true;
    }
    const shown = entries.filter((each) => each.fit).length;
    for (const filter of filters) filter.querySelector(".on").textContent = said(filter);
    form.querySelector(".shown").textContent = shown === entries.length ? `${shown} variants` : `${shown} of ${entries.length} variants`;
    reveal(place());
    changed(table);
  }

  // Laying out a hundred rows takes longer than a keystroke may: those at the top first, the others a frame later.
  function reveal(found) {
    cancelAnimationFrame(revealing);
    const hidden = found.filter((each) => each.fit && each.row.hidden);
    for (const each of hidden.slice(0, AT_ONCE)) each.row.hidden = false;
    if (hidden.length > AT_ONCE) revealing = requestAnimationFrame(() => setTimeout(() => reveal(found)));
  }

  function said(filter) {
    const on = filter.querySelectorAll("input:checked").length;
    return on ? String(on) : [...filter.querySelectorAll("[data-end]")].some((end) => end.value) ? "•" : "";
  }

  /** Rows in their order, below the heads of their groups; nothing moves while the order stays. */
  function place() {
    const every = sorted();
    const found = pages ? pages.on(every.filter(({ fit }) => fit)).filter(({ row }) => row) : every;
    const mark = JSON.stringify([group.value, found.map(({ key }) => key)]);
    if (mark !== placed) {
      placed = mark;
      const parts = [];
      let last;
      for (const each of found) {
        const value = each.config[group.value];
        if (group.value && value !== last) parts.push(headOf(value, every.filter(({ config }) => config[group.value] === value)));
        last = value;
        if (!each.row.isConnected) each.row.hidden = true; // until it is revealed
        parts.push(each.row);
      }
      body.replaceChildren(...parts);
      drawn();
    }
    for (const row of body.querySelectorAll(".group-head")) row.hidden = !row.members.some((each) => each.fit);
    return found;
  }

  function headOf(value, members) {
    const row = document.createElement("tr");
    row.className = "group-head";
    row.members = members;
    const cell = row.appendChild(Object.assign(document.createElement("th"), { scope: "rowgroup", colSpan: head.cells.length }));
    cell.append(`${group.value} = ${value} `, Object.assign(document.createElement("span"), { className: "count", textContent: `${members.length}` }));
    const button = cell.appendChild(Object.assign(document.createElement("button"), { type: "button", textContent: "choose" }));
    button.setAttribute("aria-label", `choose the variants with ${group.value} = ${value}`);
    button.addEventListener("click", () => pick(family, members.filter((each) => each.fit).map(({ key }) => key), true));
    return row;
  }

  const table = {
    name,
    /** A variant has changed. */
    forget(place) {
      if (place.startsWith(`${family}/`)) pages?.forget(place.slice(family.length + 1));
    },
    /** What is shown, as a query; "" for everything as the study has it. */
    state() {
      const query = new URLSearchParams();
      for (const each of [q, sort, group]) if (each.value) query.set(each.name, each.value);
      if (down.getAttribute("aria-pressed") === "true") query.set("down", "1");
      if (pages?.at > 1) query.set("page", pages.at);
      for (const filter of filters) {
        const on = [...filter.querySelectorAll("input:checked")].map((box) => box.value);
        const ends = [...filter.querySelectorAll("[data-end]")].map((end) => end.value);
        if (on.length) query.set(`f.${filter.dataset.field}`, on.join(","));
        else if (ends.some(Boolean)) query.set(`f.${filter.dataset.field}`, ends.join(".."));
      }
      const text = query.toString();
      return text && `in=${encodeURIComponent(name)}&${text}`;
    },
    restore(query) {
      for (const each of [q, sort, group]) each.value = query.get(each.name) ?? "";
      for (const each of [sort, group]) if (each.selectedIndex < 0) each.value = "";
      down.setAttribute("aria-pressed", String(query.has("down")));
      for (const filter of filters) {
        const text = query.get(`f.${filter.dataset.field}`) ?? "";
        for (const box of filter.querySelectorAll("[type=checkbox]")) box.checked = text.split(",").includes(box.value);
        filter.querySelectorAll("[data-end]").forEach((end, i) => { end.value = text.split("..")[i] ?? ""; });
      }
      if (pages) pages.at = Number(query.get("page")) || 1;
      update();
    },
  };

  /** Something else is looked for: from the first page on. */
  function restart() {
    if (pages) pages.at = 1;
    update();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", restart);
  down.addEventListener("click", () => {
    down.setAttribute("aria-pressed", String(down.getAttribute("aria-pressed") !== "true"));
    restart();
  });
  form.querySelector("[data-all]").addEventListener("click", () => {
    pick(family, entries.filter((each) => each.fit).map(({ key }) => key), true);
  });
  form.querySelector(".shown").textContent = `${entries.length} variants`;
  return table;
}
