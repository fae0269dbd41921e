// Scenarios: the list is filtered while typing, and a consent that was begun is read at once.

const form = document.querySelector("form[data-filters]");

function filter() {
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const item of document.getElementById(form.dataset.filters).children) {
    item.hidden = !words.every((word) => item.dataset.words.includes(word));
    found += item.hidden ? 0 : 1;
  }
  form.querySelector('[role="status"]').textContent =
    words.length ? form.dataset.found.replace("{n}", found) : "";
}

if (form) {
  form.elements.q.addEventListener("input", filter);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
    const query = new URLSearchParams(new FormData(form));
    history.replaceState(null, "", `?${query}`);
  });
}

addEventListener("acted", (event) => {
  const page = event.detail?.page;
  if (!event.target.matches("form[data-follows]") || !page?.startsWith("/app/")) return;
  event.preventDefault();
  location.assign(page);
});
