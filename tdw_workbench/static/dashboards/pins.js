// What a panel keeps when the selector or the slider moves, and which maps it shows.

import { indicesOf } from "./panel.js";

/** A small button. */
export function button(text, label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, title: label });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

/** Controls of a panel, added to `tools`. */
export function makePins(tools, panel, { told, changed }) {
  const { model } = panel;
  const what = told.known[model.kind]?.[model.name];
  if (what && !what.over) {
    const chooser = Object.assign(document.createElement("select"), { title: "Variant of this panel" });
    chooser.setAttribute("aria-label", "Variant of this panel");
    const keys = new Set([...told.variants, ...(model.variant ? [model.variant] : [])]);
    chooser.add(new Option("as selected", "", false, model.variant === null));
    for (const key of keys) chooser.add(new Option(`pin ${key}`, key, false, key === model.variant));
    chooser.addEventListener("change", () => {
      model.variant = chooser.value || null;
      panel.again();
      changed(model.variant ? `pinned to ${model.variant}` : "follows the selector");
    });
    tools.append(chooser);
  }
  if (model.kind !== "section") {
    const pin = button("pin epoch", "Keep this panel at the slider's epoch", () => {
      model.epoch = model.epoch === null ? told.state.e : null;
      pin.setAttribute("aria-pressed", model.epoch !== null);
      panel.again();
      changed(model.epoch === null ? "follows the slider" : `pinned to epoch ${model.epoch}`);
    });
    pin.setAttribute("aria-pressed", model.epoch !== null);
    tools.append(pin);
  }
  if (model.kind === "maps" && what) {
    const input = Object.assign(document.createElement("input"), { value: indicesOf(model, what), size: 8, title: `Which ${what.index}, such as 3,17` });
    input.setAttribute("aria-label", input.title);
    input.addEventListener("change", () => {
      const wanted = [...new Set(input.value.split(",").map((text) => text.trim()).filter((text) => /^\d{1,8}$/.test(text)))];
      model.part = wanted.join(",");
      input.value = indicesOf(model, what);
      panel.again();
      changed(`shows ${what.index} ${input.value}`);
    });
    tools.append(input);
  }
}
