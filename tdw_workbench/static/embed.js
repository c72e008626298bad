// In Dagster's pages: a link to one of ours opens over the page instead of leaving it, and a link to a plot
// shows its picture. Nothing of Dagster's page is changed but the target of such links at the moment they are
// used; without this script they are plain links.
(() => {
  const root = document.currentScript.dataset.root;
  const PAGE = /^(?:\/[^/]+)*?\/tdw(\/(?:view\/plot|view\/variant|view\/report|explorer)\/.+)$/;
  const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    .dagster-markdown img { max-width: 100%; height: auto }
    #tdw-overlay { width: 96vw; height: 94vh; max-width: none; max-height: none; padding: 0; border: 0; border-radius: 8px; overflow: hidden; background: #1c2125; color: #d5dae0 }
    #tdw-overlay::backdrop { background: rgba(0, 0, 0, .55) }
    #tdw-overlay header { height: 36px; display: flex; gap: 16px; align-items: center; padding: 0 12px; font: 13px system-ui, sans-serif }
    #tdw-overlay header span { margin-right: auto; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
    #tdw-overlay a { color: #9ccbf5 }
    #tdw-overlay button { font: inherit; color: inherit; background: #343b42; border: 0; border-radius: 4px; padding: 4px 12px; cursor: pointer }
    #tdw-overlay iframe { border: 0; width: 100%; height: calc(100% - 36px); display: block; background: #fff }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

  // The address on this server of a link of ours: an event may have recorded it while another port, another
  // prefix or another name of this machine was in use.
  function ours(anchor) {
    const url = new URL(anchor.href, location.href);
    const here = url.origin === location.origin;
    const path = PAGE.exec(url.pathname);
    if (!path || !(here || (LOOPBACK.has(url.hostname) && url.protocol === "http:"))) return null;
    return `${root}${path[1]}${url.search}${url.hash}`;
  }

  const linkOf = (event) => event.target.closest?.("a[href*='/tdw/']");

  // Before the browser decides what a click, a middle click or a menu does with the link.
  for (const type of ["pointerdown", "focusin"]) {
    document.addEventListener(type, (event) => {
      const anchor = linkOf(event);
      const target = anchor && ours(anchor);
      if (!target || anchor.getAttribute("href") === target) return;
      anchor.href = target;
      illustrate();
    }, true);
  }

  // What a plain click opens, or null: other clicks are the browser's own.
  function opens(event) {
    const anchor = linkOf(event);
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return null;
    return ours(anchor);
  }

  document.addEventListener("click", (event) => {
    const target = opens(event);
    if (!target) return;
    pressed = null;
    event.preventDefault();
    event.stopPropagation();
    overlay(target);
  }, true);

  // Dagster draws parts of its page anew while it loads: a link that is replaced, or moves away, while it is
  // pressed gets no click.
  let pressed = null;
  document.addEventListener("pointerdown", (event) => {
    const target = opens(event);
    pressed = target && { target, x: event.clientX, y: event.clientY };
  }, true);
  document.addEventListener("pointercancel", () => { pressed = null; }, true);
  document.addEventListener("pointerup", (event) => {
    const was = pressed;
    if (!was || Math.hypot(event.clientX - was.x, event.clientY - was.y) > 5) return;
    setTimeout(() => {
      if (pressed !== was) return;
      pressed = null;
      overlay(was.target);
    });
  }, true);

  function overlay(target) {
    const dialog = document.createElement("dialog");
    dialog.id = "tdw-overlay";
    const header = document.createElement("header");
    const title = document.createElement("span");
    const tab = Object.assign(document.createElement("a"), { target: "_blank", textContent: "Open in a new tab", href: target });
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    const frame = Object.assign(document.createElement("iframe"), { src: target, title: "Training Dynamics Workbench" });
    header.append(title, tab, close);
    dialog.append(header, frame);
    frame.addEventListener("load", () => {
      title.textContent = frame.contentDocument?.title ?? "";
      tab.href = frame.contentWindow?.location.href ?? target;
      frame.contentWindow?.focus();
    });
    tab.addEventListener("pointerdown", () => { tab.href = frame.contentWindow.location.href; });
    close.addEventListener("click", () => dialog.close());
    const told = (event) => {
      if (event.source === frame.contentWindow && event.data === "tdw-close") dialog.close();
    };
    addEventListener("message", told);
    dialog.addEventListener("close", () => {
      removeEventListener("message", told);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  // Pictures: a rule of our own style sheet for each link to a plot, keyed by the link's address. Events hold
  // plain links, so a server without our routes shows a link and never a broken picture.
  const shown = new Set();
  function illustrate() {
    for (const anchor of document.querySelectorAll(".dagster-markdown a[href*='/tdw/view/plot/']")) {
      const href = anchor.getAttribute("href");
      const target = ours(anchor);
      if (shown.has(href) || !target || anchor.querySelector("img")) continue;
      shown.add(href);
      const url = new URL(target, location.href);
      const picture = url.pathname.replace("/view/plot/", "/plot/") + "/preview.png" + url.search;
      sheet.insertRule(`.dagster-markdown a[href=${JSON.stringify(href)}]::before {
        content: ""; display: block; width: 420px; max-width: 100%; aspect-ratio: 420 / 240; margin-bottom: 4px;
        background: #fff url(${JSON.stringify(picture)}) center / contain no-repeat; border-radius: 4px }`);
    }
  }
  let asked = 0;
  new MutationObserver(() => {
    asked ||= setTimeout(() => { asked = 0; illustrate(); }, 60);
  }).observe(document.documentElement, { childList: true, subtree: true });
  illustrate();
})();
