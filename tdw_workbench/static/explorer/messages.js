// What is missing or wrong, said where it can be seen.

const place = document.getElementById("messages");

/** A note; `links` are {text, href}. The same `key` replaces what was said before; empty text takes it away. */
export function say(key, text, { kind = "", details = [], links = [] } = {}) {
  place.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
  if (!text) return;
  const note = place.appendChild(document.createElement(details.length ? "details" : "p"));
  note.className = `note ${kind}`;
  note.dataset.key = key;
  if (details.length) {
    note.appendChild(document.createElement("summary")).textContent = text;
    const list = note.appendChild(document.createElement("ul"));
    for (const each of details) list.appendChild(document.createElement("li")).textContent = each;
  } else {
    note.textContent = text;
  }
  for (const { text: label, href } of links) {
    note.append(" ");
    note.append(Object.assign(document.createElement("a"), { textContent: label, href, target: "_top" }));
  }
}

/** An error of the server, with its remedy. */
export function complain(key, error) {
  say(key, [error.message, error.remedy].filter(Boolean).join("\n"), { kind: "error" });
}
