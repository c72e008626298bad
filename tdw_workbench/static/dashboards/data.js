// What panels show: asked of the server, or kept in the page itself where that is a file that works offline.

import { Refused, parse } from "../explorer/slices.js";

const MOST_KEPT = 24; // slices; panels of the same maps share one
const root = document.getElementById("dashboard").dataset.root;
const kept = new Map();

/** Whether the page is an exported file. */
export const offline = root === undefined;

function embedded(address) {
  return document.querySelector(`script[data-address="${CSS.escape(address)}"]`);
}

function require(address) {
  const found = embedded(address);
  if (!found) throw new Refused("This file does not hold it.", "Export the dashboard again, with this variant.");
  if (found.dataset.refused) {
    const { error, remedy } = JSON.parse(found.textContent);
    throw new Refused(error, remedy);
  }
  return found;
}

// What is not there yet comes as 200 with a header of its own, so that the console stays empty.
async function ask(address, options) {
  const response = await fetch(`${root}/${address}`, options).catch(() => null);
  if (!response) throw new Refused("The server does not answer.", "Check that it is still running, then try again.");
  if (response.ok && !response.headers.has("x-tdw-refused")) return response;
  const told = await response.json().catch(() => ({}));
  const error = new Refused(told.error ?? `The server answered ${response.status}.`, told.remedy ?? "");
  throw Object.assign(error, { status: response.headers.get("x-tdw-refused") });
}

/** JSON at an address below /tdw. Throws `Refused`. */
export async function getJson(address) {
  return offline ? JSON.parse(require(address).textContent) : (await ask(address)).json();
}

/** Arrays of a slice, as `parse` gives them. */
export function getSlice(address) {
  if (!kept.has(address)) {
    const asked = (offline ? unpack(address) : ask(address).then((response) => response.arrayBuffer())).then(parse);
    asked.catch(() => kept.delete(address));
    kept.set(address, asked);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(address);
}

async function unpack(address) {
  const text = atob(require(address).textContent.trim());
  return Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer;
}

/** Delete what is at an address. Throws `Refused`. */
export const remove = (address) => ask(address, { method: "DELETE" });

/** Send JSON; what comes back. Throws `Refused`. */
export async function post(address, body) {
  const headers = { "Content-Type": "application/json" };
  return (await ask(address, { method: "POST", headers, body: JSON.stringify(body) })).json();
}
