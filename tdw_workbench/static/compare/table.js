// One table of variants: its rows are searched, filtered, sorted and grouped by the fields of their configurations.

const AT_ONCE = 30; // rows
const NAMED = /^([a-z]\w*)(<=|>=|=|<|>)(.+)$/i;
const TESTS = {
  "=": (one, other) => one === other, "<": (one, other) => one < other, ">": (one, other) => one > other,
  "<=": (one, other) => one <= other, ">=": (one, other) => one >= other,
};
const number = (value) => (value === "" ? NaN : Number(value));
const order = (one, other) => {
  const [a, b] = [number(one), number(other)];
  return Number.isNaN(a) || Number.isNaN(b) ? String(one).localeCompare(String(other), "en", { numeric: true }) : a - b;
};

/** `pick(family, keys, on)` chooses variants; `changed(table)` is told of what is shown. */
export function makeTable(form, { pick, changed }) {
  const { family, name } = form.dataset;
  const configs = JSON.parse(form.dataset.configs);
  const body = form.parentElement.querySelector("tbody");
  const head = body.parentElement.tHead.rows[0];
  const filters = [...form.querySelectorAll(".filter")];
  const down = form.querySelector("[data-down]");
  const { q, sort, group } = form.elements;
  const rows = [...body.rows].filter((row) => row.dataset.place).map((row) => {
    const key = row.dataset.place.split("/")[1];
    const config = configs[key] ?? {};
    const words = [key, ...Object.entries(config).map(([field, value]) => `${field}=${value}`)].join(" ").toLowerCase();
    return { row, key, config, words, fit: true };
  });
  let placed = "";
  let revealing = 0;

  /** Whether a word of the search fits: `p=59` by value, any other as a part of the key, a field or a result. */
  function fits({ config, words, row }, word) {
    const [, field, sign, value] = NAMED.exec(word) ?? [];
    const known = field && Object.keys(config).find((each) => each.toLowerCase() === field);
    if (known) {
      const [a, b] = [number(config[known]), number(value)];
      const text = Number.isNaN(a) || Number.isNaN(b);
      return TESTS[sign](text ? String(config[known]).toLowerCase() : a, text ? value : b);
    }
    return words.includes(word) || [...row.cells].slice(1, -1).some((cell) => cell.textContent.toLowerCase().includes(word));
  }

  function allowed({ config }) {
    return filters.every((filter) => {
      const value = config[filter.dataset.field];
      const [low, high] = ["low", "high"].map((end) => number(filter.querySelector(`[data-end=${end}]`)?.value ?? ""));
      const on = [...filter.querySelectorAll("input:checked")].map((box) => box.value);
      return (!on.length || on.some((each) => order(each, value) === 0)) && !(value < low) && !(value > high);
    });
  }

  /** The text of a column of results: what is no number, such as an outcome that was not reached, comes last. */
  function result({ row }, title) {
    const at = [...head.cells].findIndex((cell) => cell.firstChild.textContent.trim() === title);
    const text = row.cells[at]?.textContent.trim() ?? "";
    return /^[\d.,]+$/.test(text) ? Number(text.replaceAll(",", "")) : Infinity;
  }

  function sorted() {
    const by = sort.value;
    const title = sort.selectedOptions[0].dataset.title;
    const value = (each) => (title ? result(each, title) : each.config[by]);
    const found = [...rows];
    if (by) found.sort((one, other) => order(value(one), value(other)));
    if (down.getAttribute("aria-pressed") === "true") found.reverse();
    if (group.value) found.sort((one, other) => order(one.config[group.value], other.config[group.value]));
    return found;
  }

  function update() {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const each of rows) {
      each.fit = allowed(each) && words.every((word) => fits(each, word));
      if (!each.fit && !each.row.hidden) each.row.hidden = true;
    }
    const shown = rows.filter((each) => each.fit).length;
    for (const filter of filters) filter.querySelector(".on").textContent = said(filter);
    form.querySelector(".shown").textContent = shown === rows.length ? `${shown} variants` : `${shown} of ${rows.length} variants`;
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
    const found = sorted();
    const mark = JSON.stringify([group.value, found.map(({ key }) => key)]);
    if (mark !== placed) {
      placed = mark;
      const parts = [];
      let last;
      for (const each of found) {
        const value = each.config[group.value];
        if (group.value && value !== last) parts.push(headOf(value, found.filter(({ config }) => config[group.value] === value)));
        last = value;
        parts.push(each.row);
      }
      body.replaceChildren(...parts);
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
    /** What is shown, as a query; "" for everything as the study has it. */
    state() {
      const query = new URLSearchParams();
      for (const each of [q, sort, group]) if (each.value) query.set(each.name, each.value);
      if (down.getAttribute("aria-pressed") === "true") query.set("down", "1");
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
      update();
    },
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", update);
  down.addEventListener("click", () => {
    down.setAttribute("aria-pressed", String(down.getAttribute("aria-pressed") !== "true"));
    update();
  });
  form.querySelector("[data-all]").addEventListener("click", () => {
    pick(family, rows.filter((each) => each.fit).map(({ key }) => key), true);
  });
  form.querySelector(".shown").textContent = `${rows.length} variants`;
  return table;
}
