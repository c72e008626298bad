// The page of a selection: what needs tables is asked for after the page is there, a figure when it comes in view.
/* global Plotly, tdwAround */

import { savePicture, system, templateOf } from "../figures.js";

const main = document.querySelector("main.compare");
const config = JSON.parse(main.dataset.config);
const drawn = new Map(); // place of a figure -> what the server gave

async function ask(url) {
  const response = await fetch(url);
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Error([told.error ?? `The server answered ${response.status}.`, told.remedy].filter(Boolean).join("\n"));
}

async function fill() {
  const came = document.getElementById("came-out");
  try {
    const scratch = document.createElement("template");
    scratch.innerHTML = await (await ask(main.dataset.parts)).text();
    for (const part of scratch.content.querySelectorAll("[data-part]")) {
      document.getElementById(part.dataset.part).replaceChildren(...part.childNodes);
    }
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    came.querySelector(".note").textContent = error.message;
    came.querySelector(".note").classList.add("error");
  }
}

async function draw(place) {
  const section = place.closest("section");
  const say = (words, kind) => {
    place.classList.add("failed");
    const note = section.querySelector("[role=alert]");
    note.textContent = words;
    note.className = `note ${kind}`;
    note.hidden = false;
  };
  try {
    const figure = await (await ask(place.dataset.figure)).json();
    if (figure.absent) throw Object.assign(new Error(figure.absent), { absent: true });
    const around = tdwAround(place, { inAddress: false });
    const layout = { ...around.layoutOf(figure.layout), template: templateOf(figure) };
    await Plotly.newPlot(place, figure.data, layout, config);
    if (figure.frames?.length) await Plotly.addFrames(place, figure.frames);
    await around.restore();
    drawn.set(place, figure);
    for (const button of section.querySelectorAll("button[data-format]")) button.disabled = false;
  } catch (error) {
    say(error.message, error.absent ? "" : "error");
    for (const link of error.absent ? section.querySelectorAll(".group") : []) link.hidden = true;
  }
  place.dataset.done = "true";
}

// One after the other, those nearest to the reader first: two at once would wait for each other on the server.
const waiting = new Set();
let working = false;
const near = (place) => Math.abs(place.getBoundingClientRect().top);
async function work() {
  if (working) return;
  working = true;
  while (waiting.size) {
    const [next] = [...waiting].sort((one, other) => near(one) - near(other));
    waiting.delete(next);
    await draw(next);
  }
  working = false;
}
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    waiting.add(target);
  }
  work();
}, { rootMargin: "600px" });

system.addEventListener("change", () => {
  for (const [place, figure] of drawn) Plotly.relayout(place, { template: templateOf(figure) });
});

main.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-format]");
  if (!button) return;
  const place = button.closest("section").querySelector(".figure");
  savePicture(place, drawn.get(place), { format: button.dataset.format, config });
});

addEventListener("DOMContentLoaded", () => main.querySelectorAll(".figure").forEach((place) => seen.observe(place)));
fill();
