// What the address of the sequence explorer may hold. Without a sequence the mean over the probe is shown.

export function addressOf({ epochs, layers, heads, sequences, positions }) {
  return {
    epochs,
    at: ["e"],
    lists: {
      l: { stop: layers, most: 1 },
      h: { stop: heads, most: 1 },
      s: { stop: sequences, most: 1 },
      q: { stop: positions, most: 1 },
    },
    choices: { of: ["sequence", "mean"], scale: ["query", "whole"] },
    numbers: [],
  };
}
