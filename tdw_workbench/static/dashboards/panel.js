// A panel: its frame with a head, and what is drawn in it.

import { makeFigure } from "./figure.js";
import { makeMaps } from "./maps.js";
import { makeSheetPanel } from "./sheet.js";
import { makeNote, makeSection, makeTable } from "./words.js";

/** Of a panel, for a variant: the address of what it shows, below /tdw; "" for a note. Python has the same. */
export function addressOf(panel, { family, folder, known, variant }) {
  const what = known[panel.kind]?.[panel.name];
  const where = what?.over ? panel.where || folder : panel.variant ?? variant;
  if (panel.kind === "figure") return `panel/plot/${family}/${where}/${panel.name}/${what.every ? "maps" : "figure.json"}`;
  if (panel.kind === "maps") {
    const numbers = Object.entries(what.numbers).map(([name, value]) => `&${name}=${value}`).join("");
    return `panel/api/${what.slice}/${family}/${where}?${what.index}=${indicesOf(panel, what)}${numbers}`;
  }
  if (panel.kind === "table") return `panel/table/${family}/${where}/${panel.name}`;
  if (panel.kind === "section") return `panel/section/${family}/${where}/${panel.name}/${encodeURIComponent(panel.part)}`;
  return "";
}

export const indicesOf = (panel, view) => panel.part || view.first.join(",");

/** The page where more of it can be seen; "" for none. */
function pageOf(panel, address) {
  const [, , ...path] = address.split("?")[0].split("/");
  if (panel.kind === "figure") return `view/plot/${path.slice(0, 3).join("/")}`;
  if (panel.kind === "section") return `view/report/${path.slice(0, 3).join("/")}#${panel.part}`;
  return panel.kind === "maps" ? `explorer/${path.slice(1).join("/")}` : "";
}

/**
 * A panel of the page `told` (family, folder, known, config, root, state): {element, model, refresh(), show(),
 * visible(flag), drawn(), draw(), again()}.
 */
export function makePanel(model, told, html = "") {
  const element = document.createElement("section");
  element.className = "box";
  element.dataset.kind = model.kind;
  const head = element.appendChild(document.createElement("header"));
  const title = head.appendChild(document.createElement("h2"));
  const aside = head.appendChild(document.createElement("span"));
  aside.className = "aside";
  let choices = head.appendChild(document.createElement("span"));
  choices.className = "choices";
  const place = element.appendChild(document.createElement("div"));
  place.className = "place";
  let drawer = null;
  let address = null; // of what is drawn, or is being drawn
  let latest = 0; // drawing: what a later one has overtaken changes nothing any more
  let seen = false;
  let note = html;

  const panel = { element, head, model, refresh, show, theme: () => drawer?.theme(), visible, again, size };
  const what = () => told.known[model.kind]?.[model.name];
  const epoch = () => model.epoch ?? told.state.e;

  function size() {
    element.style.setProperty("--w", model.width);
    element.style.setProperty("--h", model.height);
    element.classList.toggle("wide", model.width > 8);
  }

  function name() {
    const of = what()?.over || model.kind === "note" ? "" : model.variant ?? told.state.variant;
    const text = model.kind === "note" ? "Note" : model.kind === "section" ? `${what()?.title}: ${model.part.replaceAll("-", " ")}` : what()?.title ?? model.name;
    const page = address && told.root !== undefined ? pageOf(model, address) : "";
    const link = Object.assign(document.createElement("a"), { textContent: text, href: `${told.root}/${page}` });
    title.replaceChildren(page ? link : text);
    element.setAttribute("aria-label", [text, of].filter(Boolean).join(" of "));
    if (of && model.variant !== null) title.append(" ", Object.assign(document.createElement("small"), { textContent: of }));
  }

  // What is drawn is of another epoch than the slider's: said in the head.
  function say(text) {
    const pinned = model.epoch !== null ? `pinned to epoch ${model.epoch.toLocaleString("en")}` : "";
    aside.textContent = [pinned, text].filter(Boolean).join(", ");
  }

  function make() {
    place.replaceChildren();
    const emptied = choices.cloneNode();
    choices.replaceWith(emptied);
    choices = emptied;
    if (model.kind === "note") return makeNote(place, note);
    if (!what()) throw new Error(`There is no ${model.kind} “${model.name}” in this version: take the panel away.`);
    if (model.kind === "maps") return makeMaps(place, { view: what(), indices: indicesOf(model, what()).split(",").map(Number), say });
    if (model.kind === "table") return makeTable(place, { say });
    if (model.kind === "section") return makeSection(place);
    return what().every ? makeSheetPanel(place, { say, choices }) : makeFigure(place, { config: told.config, say, choices });
  }

  /** Draw what it shows now, if it can be seen and does not show it already. */
  function refresh() {
    return seen ? draw() : null;
  }

  async function draw() {
    const wanted = what() || model.kind === "note" ? addressOf(model, { ...told, variant: told.state.variant }) : null;
    if (wanted !== null && wanted === address) return;
    const own = ++latest;
    address = wanted;
    drawer = null;
    try {
      const drawing = make();
      element.setAttribute("aria-busy", "true");
      name();
      say("");
      await drawing.load(wanted);
      if (own !== latest) return;
      drawer = drawing;
      show();
    } catch (error) {
      if (own === latest) fail(error);
    } finally {
      if (own === latest) element.removeAttribute("aria-busy");
    }
  }

  function fail(error) {
    drawer = null;
    name();
    const absent = error.status === "404" && model.kind !== "section";
    const text = [absent && "Not there yet.", error.message, error.remedy].filter(Boolean).join("\n");
    place.replaceChildren(Object.assign(document.createElement("p"), { className: "note", textContent: text }));
  }

  /** After a change of the panel itself. */
  function again(newHtml) {
    if (newHtml !== undefined) note = newHtml;
    address = null;
    size();
    return draw();
  }

  function show() {
    drawer?.show(epoch());
  }

  function visible(flag) {
    const came = flag && !seen;
    seen = flag;
    return came ? refresh() : null;
  }

  size();
  name();
  new ResizeObserver(() => requestAnimationFrame(() => seen && drawer?.resize())).observe(place);
  return Object.assign(panel, { draw, drawn: () => latest > 0, name });
}
