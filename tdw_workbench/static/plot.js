// A plot's page: the figure that its asset committed, in the reader's theme, and its pictures as downloads.
/* global Plotly */

const div = document.getElementById("figure");
const problem = document.getElementById("problem");
const config = JSON.parse(div.dataset.config);
const system = matchMedia("(prefers-color-scheme: dark)");

const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

function template(figure) {
  const light = figure.layout.template;
  return () => (isDark() && figure.layout.meta?.dark) || light;
}

async function load(url) {
  const response = await fetch(url);
  const body = await response.json();
  if (!response.ok) throw new Error(`${body.error}\n${body.remedy}`);
  return body;
}

async function draw() {
  const figure = await load(div.dataset.figure);
  const theme = template(figure);
  await Plotly.newPlot(div, figure.data, { ...figure.layout, template: theme() }, config);
  if (figure.frames?.length) await Plotly.addFrames(div, figure.frames);
  system.addEventListener("change", () => Plotly.relayout(div, { template: theme() }));
  followSize();
  for (const format of ["png", "svg"]) {
    document.getElementById(format).addEventListener("click", () => save(format, figure));
  }
  document.documentElement.dataset.ready = "true";
  performance.mark("tdw-ready"); // benchmarks/web.py reads these
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

// Pictures are for papers: always light, and the same size whatever the window.
async function save(format, figure) {
  const options = { format, filename: div.dataset.name, width: 1200, height: 700, scale: format === "png" ? 2 : 1 };
  const shown = { data: div.data, layout: { ...div.layout, template: figure.layout.template }, config };
  await Plotly.downloadImage(shown, options);
}

draw().catch((error) => {
  problem.textContent = `The figure can't be shown: ${error.message}`;
  problem.hidden = false;
});
