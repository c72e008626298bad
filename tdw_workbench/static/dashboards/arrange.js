// Panels are moved and resized by pointer or keys. They stand in an order and flow into the grid, so nothing
// can overlap and a narrow window needs no layout of its own.

const COLUMNS = 12;
const SMALLEST = 2;
const MOST_ROWS = 40;
const ROW = 48; // CSS pixels, gap included

const within = (value, low, high) => Math.max(low, Math.min(high, value));

/** Give a panel its handles; `changed(words)` is told after each change, `swap` puts it at another place. */
export function makeArrangeable(panel, { grid, inOrder, changed }) {
  const grip = handle("grip", "⠿", "Move: drag, or arrow keys. Resize: Shift and arrow keys.");
  panel.head.prepend(grip);
  const corner = handle("corner", "", "Resize");
  corner.tabIndex = -1; // the keys of the grip do the same
  corner.setAttribute("aria-hidden", "true");
  panel.element.append(corner);

  function handle(kind, text, label) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: kind, textContent: text, title: label });
    button.setAttribute("aria-label", label);
    return button;
  }

  function put(next) {
    if (next === panel.element) return;
    const focused = document.activeElement === grip;
    grid.insertBefore(panel.element, next);
    if (focused) grip.focus();
  }

  function place() {
    return inOrder().indexOf(panel);
  }

  function step(by) {
    const order = inOrder();
    const to = within(place() + by, 0, order.length - 1);
    if (to === place()) return;
    put(by > 0 ? order[to].element.nextSibling : order[to].element);
    panel.element.scrollIntoView({ block: "nearest" });
    changed(`moved to place ${to + 1} of ${order.length}`);
  }

  function resize(width, height) {
    const { model } = panel;
    const [w, h] = [within(width, SMALLEST, COLUMNS), within(height, SMALLEST, MOST_ROWS)];
    if (w === model.width && h === model.height) return false;
    Object.assign(model, { width: w, height: h });
    panel.size();
    return true;
  }

  const size = () => `${panel.model.width} columns wide, ${panel.model.height} rows high`;

  grip.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const by = steps[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.shiftKey) return step(by[0] + by[1]);
    if (resize(panel.model.width + by[0], panel.model.height + by[1])) changed(size());
  });

  drag(grip, {
    begin: () => panel.element.classList.add("moving"),
    move(event) {
      const under = document.elementsFromPoint(event.clientX, event.clientY).map((each) => each.closest?.(".box")).find((each) => each && each !== panel.element);
      if (!under || under.parentElement !== grid) return;
      const box = under.getBoundingClientRect();
      const after = (event.clientX - box.left) / box.width > 0.5;
      const next = after ? under.nextSibling : under;
      if (next !== panel.element && next !== panel.element.nextSibling) put(next);
    },
    end() {
      panel.element.classList.remove("moving");
      changed(`moved to place ${place() + 1} of ${inOrder().length}`);
    },
  });

  let from = null;
  drag(corner, {
    begin(event) {
      const box = panel.element.getBoundingClientRect();
      const shown = Number(getComputedStyle(panel.element).getPropertyValue("--shown")) || panel.model.width;
      from = { x: event.clientX, y: event.clientY, ...panel.model, column: box.width / shown };
    },
    move(event) {
      resize(from.width + Math.round((event.clientX - from.x) / from.column), from.height + Math.round((event.clientY - from.y) / ROW));
    },
    end: () => changed(size()),
  });
}

// On the window: an element that is put elsewhere loses the pointer that it has captured.
function drag(element, { begin, move, end }) {
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    element.focus();
    begin(event);
    addEventListener("pointermove", move);
    const over = () => {
      removeEventListener("pointermove", move);
      for (const type of ["pointerup", "pointercancel"]) removeEventListener(type, over);
      end();
    };
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, over);
  });
}
