// A plot's page: the figure that its asset committed, in the reader's theme, and its pictures as downloads.
/* global Plotly, tdwAround */

import { savePicture, system, templateOf } from "./figures.js";
import { watch } from "./now.js";

const div = document.getElementById("figure");
const problem = document.getElementById("problem");
const config = JSON.parse(div.dataset.config);

async function load(url) {
  const response = await fetch(url);
  const body = await response.json();
  if (!response.ok) throw new Error(`${body.error}\n${body.remedy}`);
  return body;
}

let shown = null;
const around = tdwAround(div);

async function show(figure) {
  const first = !shown;
  shown = figure;
  document.getElementById("absent")?.remove();
  const layout = { ...around.layoutOf(figure.layout), template: templateOf(figure), uirevision: "kept" };
  await Plotly.react(div, figure.data, layout, config);
  if (figure.frames?.length) await Plotly.addFrames(div, figure.frames);
  await around.restore();
  if (first) followSize();
  document.documentElement.dataset.ready = "true";
  performance.mark("tdw-ready"); // benchmarks/web.py reads these
}

async function draw() {
  if (div.dataset.figure) return show(await load(div.dataset.figure));
  if (!div.dataset.soFar) throw new Error("there is none");
  if (div.dataset.kept) {
    const { figure } = await load(div.dataset.soFar);
    if (figure) await show(figure);
  }
}

system.addEventListener("change", () => shown && Plotly.relayout(div, { template: templateOf(shown) }));
for (const format of ["png", "svg"]) {
  document.getElementById(format)?.addEventListener("click", () => shown && savePicture(div, shown, { format, config }));
}

// While the variant trains, the figure shows the history so far; afterwards what was committed.
const running = document.getElementById("running");
let drawing = false;
let worked = false;
let told = ""; // how far the training was, which the figure's title says, too

async function follow(mark) {
  if (drawing) return;
  drawing = true;
  worked ||= /^(train|analyze|summarize) /.test(mark);
  try {
    if (mark?.startsWith("train ")) {
      const { running: words, figure } = await load(div.dataset.soFar);
      if (!words) return; // it ended between two looks; the next look says so
      told = words;
      await show(figure);
      say(`Now ${words}. The figure shows the history so far and grows.`);
      return;
    }
    if (told) {
      const { running: still, figure } = await load(div.dataset.soFar);
      shown.layout.title.text = shown.layout.title.text.replace(` · ${told}`, "");
      told = "";
      await show((!still && figure) || shown);
      say(/^(analyze|summarize) /.test(mark) ? "The training has ended; its analyses, tables and figures are being made." : "");
    }
    if (worked && /^stopp(ed|ing) /.test(mark)) say("The training was stopped: Continue takes it up again. The figure shows it so far.");
    if (!mark && worked) {
      worked = false;
      say("");
      await committed();
    }
  } catch {
    // The workbench was stopped, or is being started again: asked again at the next look.
  } finally {
    drawing = false;
  }
}

async function committed() {
  const { stored } = await load(div.dataset.soFar);
  if (stored) await show(await load(div.dataset.soFar.replace(/now[.]json$/, "figure.json")));
}

function say(words) {
  running.textContent = words;
  running.hidden = !words;
}

// "How to read it" takes room from the figure when it is opened; Plotly itself follows the window only.
function followSize() {
  let height = div.clientHeight;
  new ResizeObserver(() => {
    if (div.clientHeight === height) return;
    height = div.clientHeight;
    Plotly.Plots.resize(div);
  }).observe(div);
}

draw().then(() => {
  if (div.dataset.soFar) watch(div.dataset.now, (place, mark) => place === div.dataset.place && follow(mark));
}).catch((error) => {
  problem.textContent = `The figure can't be shown: ${error.message}`;
  problem.hidden = false;
});
