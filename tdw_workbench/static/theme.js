// Light or dark: what the address says (?theme=), else what Dagster was set to, else what the system prefers.
// A classic script in the head, so that nothing is painted in the wrong colors first.
(() => {
  const named = new URLSearchParams(location.search).get("theme");
  let stored = "";
  try {
    stored = localStorage.getItem("dagster-theme") ?? "";
  } catch {
    // Storage can be forbidden; the system's preference is good enough.
  }
  const told = named ?? stored;
  const theme = /dark/i.test(told) ? "dark" : /light/i.test(told) ? "light" : "";
  if (theme) document.documentElement.dataset.theme = theme;
  // Inside Dagster's overlay Escape closes it, as it would if the focus were outside of this page.
  if (window.parent !== window) {
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) parent.postMessage("tdw-close", location.origin);
    });
  }
})();
