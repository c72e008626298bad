// The first page: out-of-date results are counted from every file's header, so this is asked after the page is
// there, a variant at a time, those in view first.

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    waiting.push(entry.target);
  }
  work();
});
const waiting = [];
let working = false;

async function work() {
  if (working) return;
  working = true;
  while (waiting.length) await count(waiting.shift());
  working = false;
}

async function count(row) {
  const response = await fetch(row.dataset.outdated);
  if (!response.ok) return;
  const { out_of_date: kinds } = await response.json();
  const parts = Object.entries(kinds).map(([kind, number]) => `${kind} ${number}`);
  if (!parts.length) return;
  const said = row.querySelector(".outdated");
  said.textContent = `out of date: ${parts.join(", ")}`;
  said.hidden = false;
}

for (const row of document.querySelectorAll("tr[data-outdated]:not(.empty)")) seen.observe(row);
