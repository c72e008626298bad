// A figure of maps in a panel: every epoch there is, painted as on its own page.

import { makeBar, makeSheet } from "../maps/sheet.js";
import { getSlice } from "./data.js";
import { makeChoice } from "./figure.js";
import { newest } from "./newest.js";

const [CAPTION, ROW, COLUMN] = [15, 2, 6]; // CSS pixels: a title, and what is between maps

/** Draws into `place`; {load(address), show(epoch), theme(), resize()}; `choices` takes where its colors end. */
export function makeSheetPanel(place, { say, choices }) {
  const area = place.appendChild(document.createElement("div"));
  area.className = "maps";
  area.tabIndex = 0; // more maps than there is room for: it scrolls, by keyboard too
  const grid = area.appendChild(document.createElement("div"));
  grid.className = "sheet";
  const foot = area.appendChild(document.createElement("div"));
  foot.className = "scales";
  let about = null;
  let sheet = null;
  let shown = null;

  async function load(address) {
    const maps = await getSlice(address);
    about = maps.about;
    const bars = about.scales.map(makeBar);
    sheet = makeSheet(grid, maps, (text) => foot.replaceChildren(...(text ? [text] : bars)));
    foot.replaceChildren(...bars);
    choices.replaceChildren(...about.scales.flatMap((scale, i) => (scale.tops.length ? [ends(scale, i, bars[i])] : [])));
    resize();
    if (shown !== null) show(shown);
  }

  function ends({ tops, top, unit }, index, bar) {
    return makeChoice(tops.map((each) => `to ${each}${unit}`), tops.indexOf(top), (place) => {
      sheet.setTop(index, tops[place]);
      bar.querySelector(".end").textContent = `${tops[place]}${unit}`;
      show(shown);
    });
  }

  // As large as all of them fit.
  function resize() {
    if (!about) return;
    const { columns, names } = about;
    const rows = Math.ceil(names.length / columns);
    const wide = (area.clientWidth - 16) / columns - COLUMN;
    const high = (area.clientHeight - 28) / rows - CAPTION - ROW;
    grid.style.setProperty("--widest", `${Math.max(32, Math.floor(Math.min(wide, high)))}px`);
  }

  function show(epoch) {
    shown = epoch;
    if (!sheet) return;
    const { place, words } = newest(about.epochs, epoch);
    sheet.paint(place);
    say(words);
  }

  return { load, show, theme() {}, resize };
}
