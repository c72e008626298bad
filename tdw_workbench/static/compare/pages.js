// A long table: the server sends rows when their page is looked at, and what all of them say when it is asked for.

const AT_ONCE = 50; // rows of one request
const EVERY_MS = 10_000; // what all rows say is asked for again at most so often

/**
 * Pages over `entries`, variants of which only some have a row. `came()` is told of rows that have come, `said()` of
 * what all of them say, `turned()` of another page.
 */
export function makePages(form, entries, { came, said, turned }) {
  const { page, rows, words } = form.dataset;
  const bars = [...form.parentElement.querySelectorAll("nav.pages")];
  const byKey = new Map(entries.map((each) => [each.key, each]));
  const coming = new Set();
  const size = Number(page);
  let told = -Infinity;
  let stale = true;
  let asking = false;

  async function bring(some) {
    for (const { key } of some) coming.add(key);
    const found = await ask(`${rows}&v=${some.map(({ key }) => encodeURIComponent(key)).join(",")}`, "text");
    for (const { key } of some) coming.delete(key);
    if (found === null) return;
    const scratch = document.createElement("template");
    scratch.innerHTML = found;
    const fresh = [...scratch.content.querySelectorAll("tr")];
    for (const row of fresh) byKey.get(row.dataset.place.split("/")[1]).row = row;
    form.closest("main").dispatchEvent(new CustomEvent("tdw-rows", { detail: fresh }));
    came();
  }

  /** The answer, or null: then the bars say so, and it is asked for again at the next look. */
  async function ask(url, kind) {
    const response = await fetch(url).catch(() => null);
    const found = response?.ok ? await response[kind]() : null;
    for (const bar of bars) bar.querySelector(".said").textContent = found === null ? "the rows can't be read now" : "";
    return found;
  }

  function turn(to, bar) {
    pages.at = to;
    turned();
    if (bar !== bars[0]) bars[0].scrollIntoView({ block: "nearest" });
  }

  function paint(count) {
    const last = Math.max(1, Math.ceil(count / size));
    pages.at = Math.min(Math.max(1, pages.at), last);
    for (const bar of bars) {
      const select = bar.querySelector("select");
      bar.hidden = last === 1;
      if (select.length !== last) select.replaceChildren(...Array.from({ length: last }, (_, i) => new Option(`${i + 1} of ${last}`, i + 1)));
      select.value = pages.at;
      const [back, on] = bar.querySelectorAll("button");
      back.disabled = pages.at === 1;
      on.disabled = pages.at === last;
      bar.querySelector(".count").textContent = `${size * (pages.at - 1) + 1}–${Math.min(size * pages.at, count)} of ${count}`;
    }
  }

  const pages = {
    at: 1,
    /** Those of `found` that are on the page; what has no row of them is asked for. */
    on(found) {
      paint(found.length);
      const here = found.slice(size * (pages.at - 1), size * pages.at);
      const missing = here.filter(({ row, key }) => !row && !coming.has(key));
      for (let from = 0; from < missing.length; from += AT_ONCE) bring(missing.slice(from, from + AT_ONCE));
      return here;
    },
    /** What all rows say is needed: it comes a moment later, where it is not here or has changed. */
    async hear() {
      if (asking || !stale || performance.now() - told < EVERY_MS) return;
      asking = true;
      const found = await ask(words, "json");
      asking = false;
      if (found === null) return;
      told = performance.now();
      stale = false;
      for (const [key, cells] of Object.entries(found)) if (byKey.has(key)) byKey.get(key).said = cells;
      said();
    },
    /** A variant has changed: a row of it that is not on the page is asked for again. */
    forget(key) {
      const found = byKey.get(key);
      if (found?.row && !found.row.isConnected) found.row = undefined;
      stale = true;
    },
  };
  for (const bar of bars) {
    bar.querySelector("select").addEventListener("change", (event) => turn(Number(event.target.value), bar));
    for (const button of bar.querySelectorAll("button")) button.addEventListener("click", () => turn(pages.at + Number(button.dataset.step), bar));
  }
  paint(entries.length);
  return pages;
}
