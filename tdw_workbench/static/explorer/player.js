// The slider over checkpoints: dragging, keys, play.

const $ = (id) => document.getElementById(id);
const PAUSE = 90; // ms per checkpoint

/** Calls `show(epoch)` whenever the epoch changes; `marks` are words -> an epoch that has a mark. Returns {goTo}. */
export function makePlayer({ epochs, missing, state, show, marks = {} }) {
  const slider = $("epoch");
  slider.max = Math.max(epochs.length - 1, 0);
  let timer = 0;

  function set(index) {
    const place = Math.max(0, Math.min(epochs.length - 1, index));
    state.e = epochs[place];
    slider.value = place;
    const text = `epoch ${state.e.toLocaleString("en")}`;
    slider.setAttribute("aria-valuetext", text);
    $("epoch-said").textContent = missing.has(state.e) ? `${text} (no maps)` : text;
    show(state.e);
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    $("play").textContent = "▶";
    $("play").setAttribute("aria-label", "play");
  }

  function play() {
    if (timer) return stop();
    if (Number(slider.value) >= epochs.length - 1) set(0);
    timer = setInterval(() => {
      if (Number(slider.value) >= epochs.length - 1) stop();
      else set(Number(slider.value) + 1);
    }, PAUSE);
    $("play").textContent = "❚❚";
    $("play").setAttribute("aria-label", "pause");
  }

  slider.addEventListener("input", () => {
    stop();
    set(Number(slider.value));
  });
  $("play").addEventListener("click", play);
  $("back").addEventListener("click", () => set(Number(slider.value) - 1));
  $("forward").addEventListener("click", () => set(Number(slider.value) + 1));
  // Arrow keys work anywhere but where they already mean something.
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, canvas, button, summary, a")) return;
    if (event.key === "ArrowLeft") set(Number(slider.value) - 1);
    else if (event.key === "ArrowRight") set(Number(slider.value) + 1);
    else if (event.key === " ") play();
    else return;
    event.preventDefault();
  });

  function goTo(epoch) {
    let best = 0;
    epochs.forEach((each, i) => {
      if (Math.abs(each - epoch) < Math.abs(epochs[best] - epoch)) best = i;
    });
    set(best);
  }

  // A mark lies between the checkpoints that it lies between; a click goes to the nearest.
  const track = document.createElement("span");
  track.className = "track";
  slider.replaceWith(track);
  track.append(slider);
  for (const [words, epoch] of Object.entries(marks)) {
    const after = epochs.findIndex((each) => each >= epoch);
    if (after < 0) continue;
    const part = after ? (epoch - epochs[after - 1]) / (epochs[after] - epochs[after - 1]) : 1;
    const text = `${words} ${epoch.toLocaleString("en")}`;
    const mark = track.appendChild(Object.assign(document.createElement("button"), { type: "button", className: "mark", title: text }));
    mark.setAttribute("aria-label", `go to ${text}`);
    mark.style.setProperty("--at", ((after - 1 + part) / Math.max(epochs.length - 1, 1)).toFixed(4));
    mark.addEventListener("click", () => goTo(epoch));
  }

  return { goTo };
}
