import { complain } from "../../explorer/messages.js";
import { makePlayer } from "../../explorer/player.js";
import { fetchSlice } from "../../explorer/slices.js";

async function start() {
  const place = document.getElementById("entropies");
  const { epochs, entropy } = await fetchSlice(place.dataset.slice);
  const shown = [...epochs.data];
  const show = (epoch) => {
    const row = shown.indexOf(epoch);
    place.textContent = [...entropy.data.subarray(2 * row, 2 * row + 2)].map((value) => value.toFixed(3)).join(" ");
  };
  makePlayer({ epochs: shown, missing: new Set(), state: {}, show }).goTo(shown.at(-1));
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => complain("start", error));
