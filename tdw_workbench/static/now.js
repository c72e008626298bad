// What is being worked on: asked for while the page is looked at, every second and a half.

const EVERY_MS = 1500;

// Calls `changed(place, mark)` for each `family/variant` whose mark is another one than before; the mark of one
// that nobody works on any more is undefined. Then `looked()`, whether anything has changed or not.
export function watch(url, changed, looked = () => {}) {
  let before = {};
  let asking = false;
  async function ask() {
    if (asking || document.hidden) return;
    asking = true;
    try {
      const response = await fetch(url);
      if (response.ok) {
        const now = await response.json();
        const places = Object.keys({ ...before, ...now }).filter((place) => before[place] !== now[place]);
        before = now;
        for (const place of places) changed(place, now[place]);
        await looked();
      }
    } catch {
      // The workbench was stopped, or is being started again: asked again at the next turn.
    } finally {
      asking = false;
    }
  }
  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
  ask();
}
