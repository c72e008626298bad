// Which part of the maps is shown, and which pair is pointed at: the same for all maps beside each other.

const LEAST = 4; // values a side

/** Of maps over `span` values a side; `state` keeps `za`, `zb` (where it begins) and `zn` (values a side), null for all. */
export function makeView(span, state, changed) {
  let cursor = null;
  const count = () => Math.max(Math.min(LEAST, span), Math.min(span, Math.round(state.zn ?? span)));
  const clamp = (from, n) => Math.max(0, Math.min(span - n, Math.round(from)));

  function set(a, b, n) {
    const whole = n >= span;
    Object.assign(state, whole ? { za: null, zb: null, zn: null } : { za: clamp(a, n), zb: clamp(b, n), zn: n });
    changed();
  }

  return {
    span,
    /** In values: {a, b, n}. */
    get shown() {
      const n = count();
      return { a: clamp(state.za ?? 0, n), b: clamp(state.zb ?? 0, n), n };
    },
    get cursor() {
      return cursor;
    },
    /** `pair` is [a, b], or null. */
    point(pair) {
      cursor = pair;
      changed();
    },
    /** One step closer (1) or away (-1), so that the pair stays where it is. */
    zoom(direction, [a, b]) {
      const { a: top, b: left, n } = this.shown;
      const next = Math.max(Math.min(LEAST, span), Math.min(span, direction > 0 ? Math.floor(n * 0.7) : Math.ceil(n / 0.7)));
      set(a - ((a - top) * next) / n, b - ((b - left) * next) / n, next);
    },
    move(down, right) {
      const { a, b, n } = this.shown;
      set(a + down, b + right, n);
    },
    whole() {
      set(0, 0, span);
    },
  };
}
