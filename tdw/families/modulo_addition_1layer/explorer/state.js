// What the address of the neuron explorer may hold.

export const MOST_PICKS = 5;

export function addressOf({ epochs, neurons, heads }) {
  return {
    epochs,
    at: ["at", "e"],
    lists: { n: { stop: neurons, most: MOST_PICKS }, h: { stop: heads, most: heads } },
    choices: {
      sort: ["index", "coarseness", "frequency", "fraction", "variance"],
      dir: ["up", "down"],
      dead: ["show", "hide", "only"],
      tiles: ["own", "common"],
      scale: ["fixed", "free"],
      maps: ["full", "small"],
    },
    numbers: ["cmin", "cmax", "k", "xmin", "vmin", "za", "zb", "zn"],
  };
}
