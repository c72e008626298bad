// Another variant in the same view: what is chosen stays in the address, and what makes no sense there is the default.

const select = document.getElementById("variants");
select?.addEventListener("change", () => {
  location.assign(`${select.dataset.place}${encodeURIComponent(select.value)}${location.search}`);
});
