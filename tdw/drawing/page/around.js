// What stands around a figure: title, buttons, menus, slider. Plotly draws them as pictures; here they are elements
// of the page, so that a keyboard reaches them, they follow the reader's colors, lines break where there is little
// room, and what is chosen is in the address.
//
// A classic script, because the offline page of a figure has it inside.
/* global Plotly */
/* exported tdwAround */

function tdwAround(div, { inAddress = true } = {}) {
  const PAUSE = 150; // ms for each stop while it plays
  const make = (tag, parent, set = {}) => parent.appendChild(Object.assign(document.createElement(tag), set));
  const head = div.parentElement.insertBefore(document.createElement("div"), div);
  const foot = document.createElement("div");
  div.after(foot);
  head.className = foot.className = "around";
  // One of several figures on a page keeps its choices to itself.
  const chosen = new URLSearchParams(inAddress ? location.hash.slice(1) : "");
  let built = "";
  let controls = [];
  let stepping = null;
  let timer = 0;

  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9.]+/g, "-").replace(/^-|-$/g, "");

  // A slider and each menu as {name, options: [{label, slug, method, args}], first, show(place)}.
  function read(layout) {
    const names = new Map();
    const named = (name) => {
      names.set(name, (names.get(name) ?? 0) + 1);
      return names.get(name) > 1 ? `${name}${names.get(name)}` : name;
    };
    const options = (all) => all.map((each) => ({ ...each, slug: slug(each.label) }));
    const found = (layout.updatemenus ?? [])
      .filter((menu) => menu.buttons[0].method !== "animate") // the slider below has its own button
      .map((menu) => {
        const colors = Object.keys(menu.buttons[0].args[0]).some((key) => key.startsWith("coloraxis"));
        const kind = menu.type === "dropdown" ? "page" : colors ? "color" : "show";
        return { kind, name: named(kind), left: menu.x === 0, first: menu.active ?? 0, options: options(menu.buttons) };
      });
    for (const slider of layout.sliders ?? []) {
      const steps = slider.steps.map((step) => ({ ...step, slug: step.args[0][0] }));
      found.push({ kind: "slider", name: named("epoch"), first: slider.active, options: steps });
    }
    return found;
  }

  function build(layout) {
    const title = layout.title ?? {};
    const text = JSON.stringify([title.text, title.subtitle?.text, controls.map((each) => [each.name, each.options.map((o) => o.label)])]);
    if (text === built) return;
    built = text;
    clearInterval(timer);
    head.replaceChildren();
    foot.replaceChildren();
    const words = make("p", head, { className: "words" });
    make("strong", words, { textContent: title.text ?? "" });
    if (title.subtitle?.text) make("span", words, { textContent: title.subtitle.text });
    for (const control of [...controls].sort((a, b) => Boolean(b.left) - Boolean(a.left))) {
      if (control.kind === "slider") slide(control);
      else if (control.kind === "page") choose(control);
      else press(control);
    }
  }

  function press(control) {
    const group = make("div", head, { className: control.left ? "choices left" : "choices", role: "group", ariaLabel: control.kind });
    const buttons = control.options.map((option, place) => {
      const button = make("button", group, { type: "button", textContent: option.label });
      button.addEventListener("click", () => pick(control.name, place));
      return button;
    });
    control.show = (place) => buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === place));
  }

  function choose(control) {
    const select = make("select", make("div", head, { className: "choices" }), { ariaLabel: control.kind });
    for (const option of control.options) make("option", select, { textContent: option.label });
    select.addEventListener("change", () => pick(control.name, select.selectedIndex));
    control.show = (place) => (select.selectedIndex = place);
  }

  function slide(control) {
    const last = control.options.length - 1;
    const row = make("div", foot, { className: "slider" });
    const play = make("button", row, { type: "button", textContent: "▶", ariaLabel: "play" });
    const range = make("input", row, { type: "range", min: 0, max: last, step: 1, ariaLabel: control.name });
    const said = make("output", row);
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      Object.assign(play, { textContent: "▶", ariaLabel: "play" });
    };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(range.value) === last) pick(control.name, 0);
      Object.assign(play, { textContent: "❚❚", ariaLabel: "pause" });
      timer = setInterval(() => (Number(range.value) >= last ? stop() : pick(control.name, Number(range.value) + 1)), PAUSE);
    });
    range.addEventListener("input", () => {
      stop();
      pick(control.name, Number(range.value));
    });
    control.show = (place) => {
      range.value = place;
      said.textContent = `${control.name} ${control.options[place].label}`;
      range.setAttribute("aria-valuetext", said.textContent);
    };
  }

  const placeOf = (control) => {
    const at = control.options.findIndex((option) => option.slug === chosen.get(control.name));
    return at < 0 ? control.first : at;
  };

  function pick(name, place) {
    const control = controls.find((each) => each.name === name);
    if (place === control.first) chosen.delete(name);
    else chosen.set(name, control.options[place].slug);
    control.show(place);
    remember();
    return run(control, place);
  }

  async function run(control, place) {
    const { method, args } = control.options[place];
    if (control.kind !== "slider") {
      await Plotly[method](div, ...args);
      // A page shows what is on it: what else is chosen applies to it, too.
      if (control.kind === "page") for (const each of controls) if (each.kind === "show") await run(each, placeOf(each));
      return;
    }
    // While one stop is drawn the next ones wait, and of them only the last is drawn.
    if (stepping) return void (stepping.next = place);
    stepping = {};
    await Plotly.animate(div, ...args);
    const { next } = stepping;
    stepping = null;
    if (next !== undefined && next !== place) await run(control, next);
  }

  let waiting = 0;
  function remember() {
    if (!inAddress) return;
    clearTimeout(waiting); // browsers refuse this more than a few times per second
    waiting = setTimeout(() => {
      const text = chosen.toString();
      history.replaceState(null, "", `${location.pathname}${location.search}${text && "#"}${text}`);
    }, 150);
  }

  if (inAddress) addEventListener("hashchange", () => {
    for (const name of [...chosen.keys()]) chosen.delete(name);
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) chosen.set(name, value);
    for (const control of controls) {
      control.show(placeOf(control));
      run(control, placeOf(control));
    }
  });

  // Titles of axes that are longer than their axis get smaller letters, so that two don't run into each other.
  function fit(layout, margin) {
    const LETTER = 0.55; // of the size of the letters, on average
    const [LARGEST, SMALLEST] = [15, 9];
    const room = { x: div.clientWidth - (margin.l ?? 80) - (margin.r ?? 80), y: div.clientHeight - (margin.t ?? 100) - (margin.b ?? 80) };
    for (const [name, axis] of Object.entries(layout)) {
      const [, along] = /^([xy])axis\d*$/.exec(name) ?? [];
      if (!along || !axis.title?.text) continue;
      const [from, to] = axis.domain ?? [0, 1];
      const size = ((to - from) * room[along]) / (LETTER * axis.title.text.length);
      if (size < LARGEST) layout[name] = { ...axis, title: { ...axis.title, font: { ...axis.title.font, size: Math.max(SMALLEST, size) } } };
    }
    return layout;
  }

  return {
    /** The layout without what is shown around it; builds that, unless it is there. */
    layoutOf(layout) {
      const found = read(layout);
      for (const each of found) each.show = controls.find((old) => old.name === each.name)?.show;
      controls = found;
      build(layout);
      const { title, updatemenus, sliders, ...rest } = layout;
      const margin = { ...layout.margin };
      if (title?.text && margin.t) margin.t = Math.max(16, margin.t - 84);
      if (sliders?.length && margin.b) margin.b -= sliders[0].pad.t + 45;
      return fit({ ...rest, margin }, margin);
    },
    /** To be called when the figure is drawn: what the address says is chosen. */
    async restore() {
      for (const control of controls) {
        control.show(placeOf(control));
        if (placeOf(control) !== control.first) await run(control, placeOf(control));
      }
    },
  };
}
