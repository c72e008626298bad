// More checkpoints in a range of epochs: typed, or dragged over the curve. What they cost is told before they are
// asked for; the button's plan is carried out by actions.js.
/* global Plotly */

import { tell } from "./graphql.js";

const form = document.getElementById("densify");
const make = document.getElementById("densifier");
const brush = document.getElementById("brush");
const cost = document.getElementById("cost");
const figure = document.getElementById("figure");
const { first, last, step } = form.elements;
let turn = 0;

const several = (number, one, more) => `${number.toLocaleString("en")} ${number === 1 ? one : more}`;

async function check() {
  const mine = ++turn;
  const epochs = `${first.value}:${last.value}:${step.value}`;
  try {
    const found = await tell(`${form.dataset.cost}&epochs=${encodeURIComponent(epochs)}`);
    if (mine !== turn) return;
    const { checkpoints, analyses, steps, time, disk } = found;
    if (!checkpoints && !analyses) return say("All of them are there, analyzed.");
    say(`${several(checkpoints, "new checkpoint", "new checkpoints")} and ${several(analyses, "analysis", "analyses")}: `
      + `about ${time} of one core (${several(steps, "epoch", "epochs")} of training are replayed) and ${disk} on disk. `
      + "Tables and plots of the variant are then made anew.");
    make.dataset.plan = `${form.dataset.ask}&epochs=${encodeURIComponent(epochs)}`;
    make.disabled = false;
  } catch (error) {
    if (mine === turn) say(error.message, "bad");
  }
}

function say(words, kind = "") {
  cost.textContent = words;
  cost.className = `small said ${kind}`;
}

let soon = 0;
function changed() {
  ++turn;
  make.disabled = true;
  make.nextElementSibling.textContent = "";
  clearTimeout(soon);
  last.min = first.value || 0;
  if (form.checkValidity()) soon = setTimeout(check, 250);
  else say([...form.elements].find((each) => !each.checkValidity())?.validationMessage ?? "", "bad");
}
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());

// While it is pressed, dragging over the figure chooses a range instead of zooming.
brush.addEventListener("click", () => press(brush.getAttribute("aria-pressed") !== "true"));

async function press(on) {
  if (!figure.data) return say("There is no curve yet: type the epochs.", "bad");
  brush.setAttribute("aria-pressed", on);
  await Plotly.relayout(figure, on ? { dragmode: "select", selectdirection: "h" } : { dragmode: "zoom", selections: [] });
  figure.removeAllListeners("plotly_selected");
  if (on) figure.on("plotly_selected", chosen);
}

function chosen(event) {
  const x = event?.range?.x ?? Object.entries(event?.range ?? {}).find(([axis]) => axis.startsWith("x"))?.[1];
  if (!x) return;
  const apart = Number(step.value) || 1; // at multiples of it, so that they meet the checkpoints of the schedule
  const low = Math.max(0, apart * Math.round(Math.min(...x) / apart));
  const high = Math.min(Number(last.max), apart * Math.round(Math.max(...x) / apart));
  if (low === Number(first.value) && high === Number(last.value)) return; // the figure was drawn again
  [first.value, last.value] = [low, high];
  changed();
}
