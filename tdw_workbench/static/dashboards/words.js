// Tables, sections of reports and notes in a panel.

import { format } from "../explorer/lut.js";
import { getJson } from "./data.js";

const MOST_ROWS = 200;

/** A table; of one with epochs the rows at the slider's. */
export function makeTable(place, { say }) {
  const area = place.appendChild(document.createElement("div"));
  area.className = "prose";
  area.tabIndex = 0;
  let columns = [];
  let epochs = null;
  let wanted = null;
  let drawn = null;

  async function load(address) {
    columns = (await getJson(address)).columns;
    drawn = null;
    const column = columns.find(({ name }) => name === "epoch");
    epochs = column && new Set(column.values).size > 1 ? column : null;
    if (!epochs) draw(columns[0]?.values.map((_, row) => row) ?? []);
  }

  function show(epoch) {
    wanted = epoch;
    if (!epochs) return;
    const there = epochs.values.filter((each) => each <= wanted);
    const at = there.length ? Math.max(...there) : Math.min(...epochs.values);
    say(at === wanted ? "" : `at epoch ${at.toLocaleString("en")}`);
    if (at === drawn) return;
    drawn = at;
    draw(epochs.values.flatMap((each, row) => (each === at ? [row] : [])));
  }

  function draw(rows) {
    const table = document.createElement("table");
    if (rows.length === 1) {
      for (const { name, values } of columns) {
        const line = table.insertRow();
        line.append(heading(name, "row"), cell(values[rows[0]]));
      }
    } else {
      const head = table.createTHead().insertRow();
      head.append(...columns.map(({ name }) => heading(name, "col")));
      const body = table.createTBody();
      for (const row of rows.slice(0, MOST_ROWS)) body.insertRow().append(...columns.map(({ values }) => cell(values[row])));
    }
    const more = rows.length - MOST_ROWS;
    const note = Object.assign(document.createElement("p"), { className: "small", textContent: `and ${more} more rows` });
    area.replaceChildren(table, ...(more > 0 ? [note] : []));
  }

  return { load, show, theme() {}, resize() {} };
}

function heading(text, scope) {
  return Object.assign(document.createElement("th"), { textContent: text, scope });
}

function cell(value) {
  const number = typeof value === "number";
  const text = value === null ? "–" : number && !Number.isInteger(value) ? format(value) : number ? value.toLocaleString("en") : String(value);
  return Object.assign(document.createElement("td"), { textContent: text, className: number ? "number" : "" });
}

/** HTML of the server's making: a section of a report. */
export function makeSection(place) {
  const area = place.appendChild(document.createElement("div"));
  area.className = "prose";
  area.tabIndex = 0;
  return {
    async load(address) {
      area.innerHTML = (await getJson(address)).html;
    },
    show() {},
    theme() {},
    resize() {},
  };
}

/** A note, as the server made HTML of its Markdown. */
export function makeNote(place, html) {
  const area = place.appendChild(document.createElement("div"));
  area.className = "prose";
  area.innerHTML = html;
  return { async load() {}, show() {}, theme() {}, resize() {} };
}
