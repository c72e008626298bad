// What is looked at, as it stands in the address: so a view can be shared and a reload restores it.
//
// A page says what its address may hold: {epochs: all epochs of the timeline, at: names of parameters that are an
// epoch, lists: name -> {stop, most}, choices: name -> words (the first is the default), numbers: names}.

/** State from a query; what is not there or makes no sense is the default. */
export function readState(search, { epochs, at, lists, choices, numbers }) {
  const query = new URLSearchParams(search);
  const last = epochs.at(-1) ?? 0;
  const state = {};
  for (const name of at) state[name] = nearest(epochs, whole(query.get(name)) ?? last);
  for (const [name, { stop, most }] of Object.entries(lists)) {
    const found = (query.get(name) ?? "").split(",").map(whole).filter((value) => value !== null && value < stop);
    state[name] = [...new Set(found)].slice(0, most);
  }
  for (const [name, known] of Object.entries(choices)) {
    state[name] = known.includes(query.get(name)) ? query.get(name) : known[0];
  }
  for (const name of numbers) {
    const value = query.get(name);
    state[name] = value !== null && value !== "" && Number.isFinite(Number(value)) ? Number(value) : null;
  }
  return state;
}

/** The query of a state: only what differs from the default. */
function writeState(state, { epochs, at, lists, choices, numbers }) {
  const query = new URLSearchParams();
  const last = epochs.at(-1) ?? 0;
  for (const name of at) if (state[name] !== last) query.set(name, state[name]);
  for (const name of Object.keys(lists)) if (state[name].length) query.set(name, state[name].join(","));
  for (const [name, known] of Object.entries(choices)) if (state[name] !== known[0]) query.set(name, state[name]);
  for (const name of numbers) if (state[name] !== null) query.set(name, state[name]);
  return query;
}

/** Put the state into the address. */
export function remember(state, shape) {
  const query = writeState(state, shape);
  const theme = new URLSearchParams(location.search).get("theme");
  if (theme) query.set("theme", theme);
  putQuery(query);
}

let waiting = 0;
/** Put a query into the address, when nothing has changed for a moment: browsers refuse it more than a few times per second. */
export function putQuery(query) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    history.replaceState(null, "", `${location.pathname}${text && "?"}${text}${location.hash}`);
  }, 150);
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
