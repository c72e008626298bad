// Remove a variant, or its extra checkpoints: what goes is read first and told, and Dagster does it.

import { launchRun } from "./actions.js";
import { tell } from "./graphql.js";

const EVERY_MS = 2000;
const dialog = document.getElementById("confirm");
const said = document.getElementById("removing");
const lost = document.getElementById("lost");
const { graphql } = document.querySelector("main[data-graphql]").dataset;
let shown = null;

function say(words, kind = "") {
  said.textContent = words;
  said.className = `said ${kind}`;
}

for (const button of document.querySelectorAll("button[data-remove]")) {
  button.addEventListener("click", async () => {
    say("");
    try {
      const { lines, ask } = await tell(button.dataset.remove);
      if (!lines.length) return say("Nothing of it is there.");
      shown = { ask, where: button.dataset.remove };
      lost.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
      dialog.showModal();
    } catch (error) {
      say(error.message, "bad");
    }
  });
}
document.getElementById("keep").addEventListener("click", () => dialog.close());
document.getElementById("remove").addEventListener("click", async () => {
  dialog.close();
  try {
    await launchRun(graphql, shown.ask);
    say("asked for: it goes in some seconds");
    follow(shown.where);
  } catch (error) {
    say(error.message, "bad");
  }
});

// Until nothing is left of it; then there may be no page of the variant any more.
async function follow(where, tries = 60) {
  const response = await fetch(where).catch(() => null);
  const left = response?.ok ? (await response.json()).lines : null;
  if (left?.length || !response || response.status >= 500) {
    if (tries) return setTimeout(follow, EVERY_MS, where, tries - 1);
    return say("It is still there: the runs in Dagster say why.", "bad");
  }
  location.assign(left ? location.href : dialog.dataset.home);
}
