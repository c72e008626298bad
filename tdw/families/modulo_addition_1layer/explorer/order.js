// Which neurons are shown, and in which order.

/** Numbers of every neuron at one epoch: columns as typed arrays, or null where the analyzer has not run. */
export function columnsAt(metrics, epoch) {
  const row = metrics ? metrics.epochs.data.indexOf(epoch) : -1;
  const column = (name) => {
    if (row < 0 || !metrics[name]) return null;
    const n = metrics[name].shape[1];
    return metrics[name].data.subarray(row * n, (row + 1) * n);
  };
  return {
    coarseness: column("coarseness"),
    dead: column("dead"),
    frequency: column("frequency"),
    fraction: column("fraction"),
    variance: column("variance"),
  };
}

/** Indices of the neurons to show, in order. A neuron without a number passes no filter on it and sorts last. */
export function arrange(count, columns, state) {
  const tests = [];
  const test = (column, passes) => column && tests.push((i) => passes(column[i]));
  if (state.cmin !== null) test(columns.coarseness, (value) => value >= state.cmin);
  if (state.cmax !== null) test(columns.coarseness, (value) => (state.cmax < 1 ? value < state.cmax : value <= 1));
  if (state.k !== null) test(columns.frequency, (value) => value === state.k);
  if (state.xmin !== null) test(columns.fraction, (value) => value >= state.xmin);
  if (state.vmin !== null) test(columns.variance, (value) => value >= state.vmin);
  if (state.dead === "hide") test(columns.dead, (value) => !value);
  if (state.dead === "only") test(columns.dead, (value) => value);
  const shown = Array.from({ length: count }, (_, i) => i).filter((i) => tests.every((passes) => passes(i)));
  const column = columns[state.sort];
  const sign = state.dir === "down" ? -1 : 1;
  if (!column) return sign < 0 ? shown.reverse() : shown;
  const known = (value) => Number.isFinite(value) && value >= 0;
  return shown.sort((a, b) => {
    const [x, y] = [column[a], column[b]];
    if (known(x) !== known(y)) return known(x) ? -1 : 1;
    return sign * (x - y) || a - b;
  });
}

/** The numbers of one neuron, in words. */
export function describe(i, columns, format) {
  const parts = [`neuron ${i}`];
  if (columns.coarseness) parts.push(`coarseness ${number(columns.coarseness[i], 3)}`);
  if (columns.frequency && columns.frequency[i] > 0) {
    parts.push(`frequency k = ${columns.frequency[i]} explains ${number(100 * columns.fraction[i], 0)} %`);
  }
  if (columns.variance) parts.push(`variance ${format(columns.variance[i])}`);
  if (columns.dead?.[i]) parts.push("dead");
  if (parts.length === 1) parts.push("not analyzed at this epoch");
  return parts.join(" · ");
}

function number(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}
