// What is looked at, as it stands in the address: so a view can be shared and a reload restores it.

export const MOST_PICKS = 5;
export const SORTS = ["index", "coarseness", "frequency", "fraction", "variance"];

const CHOICES = { sort: SORTS, dir: ["up", "down"], dead: ["show", "hide", "only"], tiles: ["own", "common"], scale: ["fixed", "free"] };
const NUMBERS = ["cmin", "cmax", "k", "xmin", "vmin"];

/** State from a query; what is not there or makes no sense is the default. */
export function readState(search, { epochs, neurons, heads }) {
  const query = new URLSearchParams(search);
  const last = epochs.at(-1) ?? 0;
  const epoch = (name) => nearest(epochs, whole(query.get(name)) ?? last);
  const list = (name, stop, most) => {
    const found = (query.get(name) ?? "").split(",").map(whole).filter((value) => value !== null && value < stop);
    return [...new Set(found)].slice(0, most);
  };
  const state = { at: epoch("at"), e: epoch("e"), n: list("n", neurons, MOST_PICKS), h: list("h", heads, heads) };
  for (const [name, known] of Object.entries(CHOICES)) {
    state[name] = known.includes(query.get(name)) ? query.get(name) : known[0];
  }
  for (const name of NUMBERS) {
    const value = query.get(name);
    state[name] = value !== null && value !== "" && Number.isFinite(Number(value)) ? Number(value) : null;
  }
  return state;
}

/** The query of a state: only what differs from the default. */
export function writeState(state, { epochs }) {
  const query = new URLSearchParams();
  const last = epochs.at(-1) ?? 0;
  for (const name of ["at", "e"]) if (state[name] !== last) query.set(name, state[name]);
  for (const name of ["n", "h"]) if (state[name].length) query.set(name, state[name].join(","));
  for (const [name, known] of Object.entries(CHOICES)) if (state[name] !== known[0]) query.set(name, state[name]);
  for (const name of NUMBERS) if (state[name] !== null) query.set(name, state[name]);
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `?${text}` : "";
}

let waiting = 0;
/** Put the state into the address; browsers refuse this more than a few times a second. */
export function remember(state, meta) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    history.replaceState(null, "", `${location.pathname}${withTheme(writeState(state, meta))}${location.hash}`);
  }, 150);
}

function withTheme(query) {
  const theme = new URLSearchParams(location.search).get("theme");
  return theme ? `${query || "?"}${query ? "&" : ""}theme=${encodeURIComponent(theme)}` : query;
}

function whole(text) {
  return /^\d{1,8}$/.test(text ?? "") ? Number(text) : null;
}

/** The epoch of the list that is closest to `wanted`. */
export function nearest(epochs, wanted) {
  let best = epochs[0] ?? 0;
  for (const epoch of epochs) if (Math.abs(epoch - wanted) < Math.abs(best - wanted)) best = epoch;
  return best;
}
