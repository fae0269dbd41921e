// A form with `data-leaves="https://…"` takes its answer's `location` to that origin and no other:
// the city that asked, as the trust list names it.

addEventListener("acted", (event) => {
  const origin = event.target.dataset.leaves;
  if (!origin) return;
  event.preventDefault();
  const there = new URL(event.detail.location);
  if (there.origin === origin) location.assign(there);
});
