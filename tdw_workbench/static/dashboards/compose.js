// Composing: what is only there where a dashboard can be saved. Add, pin and take away panels, write notes,
// choose the selector's variants, save.

import { makeArrangeable } from "./arrange.js";
import { openChoice } from "./choose.js";
import { post } from "./data.js";
import { button, makePins } from "./pins.js";
import { makeRemovable } from "./remove.js";

const $ = (id) => document.getElementById(id);

/** `board` is {told, panels, add, drop, inOrder, grid}. */
export function compose(board) {
  const { told, panels, inOrder } = board;
  let dirty = false;
  let version = told.version;

  function say(text, bad = false) {
    $("said").textContent = text;
    $("said").classList.toggle("bad", bad);
  }

  function changed(words = "") {
    dirty = true;
    $("save").disabled = false;
    say(words ? `${words}; not saved yet` : "not saved yet");
  }

  function edit(on) {
    document.body.classList.toggle("editing", on);
    $("edit").setAttribute("aria-pressed", on);
    for (const id of ["add", "note", "offer", "save"]) $(id).hidden = !on;
    $("name").parentElement.hidden = !on;
    if ($("delete")) $("delete").hidden = !on;
    for (const panel of panels) panel.name();
  }

  function equip(panel) {
    makeArrangeable(panel, { grid: board.grid, inOrder, changed });
    const tools = panel.head.appendChild(document.createElement("span"));
    tools.className = "tools";
    if (panel.model.kind === "note") tools.append(button("Write", "Write the note", () => write(panel)));
    else makePins(tools, panel, { told, changed });
    tools.append(button("×", "Take the panel away", () => {
      board.drop(panel);
      changed("one panel less");
    }));
  }

  async function write(panel) {
    await panel.visible(true); // a new one is drawn first, not over what is written
    const place = panel.element.querySelector(".place");
    const area = Object.assign(document.createElement("textarea"), { value: panel.model.text, maxLength: 20000 });
    area.setAttribute("aria-label", "Note, in Markdown");
    place.replaceChildren(area);
    area.focus();
    area.addEventListener("blur", async () => {
      if (area.value !== panel.model.text) changed("note written");
      panel.model.text = area.value;
      try {
        panel.again((await post("notes", { text: area.value })).html);
      } catch (error) {
        say([error.message, error.remedy].filter(Boolean).join(" "), true);
      }
    });
  }

  function extend(models) {
    let last = null;
    for (const model of models) {
      last = board.add({ where: "", part: "", text: "", variant: null, epoch: null, ...model }, "");
      equip(last);
    }
    last?.element.scrollIntoView({ block: "center" });
    changed(models.length === 1 ? "one panel more" : `${models.length} panels more`);
    return last;
  }

  async function save() {
    const name = $("name").value.trim();
    if (!name) {
      say("Give the dashboard a name.", true);
      return $("name").focus();
    }
    const own = name === told.name && told.version > 0;
    const models = inOrder().map((panel) => panel.model);
    const dashboard = { ...told.dashboard, title: title(name), panels: models };
    $("save").disabled = true;
    try {
      const saved = await post(`dashboards/${encodeURIComponent(name)}`, { base: own ? version : 0, dashboard });
      dirty = false;
      if (!own) return location.assign(`${saved.address}${location.search}`);
      version = saved.version;
      say(`saved as version ${version}`);
      for (const link of document.querySelectorAll("[data-exports]")) link.hidden = false;
    } catch (error) {
      $("save").disabled = false;
      say([error.message, error.remedy].filter(Boolean).join(": "), true);
    }
    return null;
  }

  // A new name is a title, too, unless the dashboard has one of its own.
  const title = (name) => (told.version > 0 && name === told.name ? told.dashboard.title : name);

  panels.forEach(equip);
  $("edit").addEventListener("click", () => edit($("edit").getAttribute("aria-pressed") !== "true"));
  $("add").addEventListener("click", () => openChoice(told, extend));
  $("note").addEventListener("click", () => write(extend([{ kind: "note", name: "", width: 4, height: 4 }])));
  $("offer").addEventListener("click", () => openChoice(told, null, (keys) => {
    told.dashboard.variants = keys;
    changed("the selector's variants are others from the next opening on");
  }));
  $("save").addEventListener("click", save);
  $("name").addEventListener("input", () => { $("save").disabled = false; });
  if ($("delete")) makeRemovable({ name: told.name, version: () => version, say, gone: () => { dirty = false; } });
  addEventListener("beforeunload", (event) => dirty && event.preventDefault());
  edit(!panels.length);
}
