// A form with `data-follows="name"` goes to the page that its answer has under this name. The
// answer is the gateway's own, and still only a page of ours is gone to.

addEventListener("acted", (event) => {
  const name = event.target.dataset.follows;
  if (!name) return;
  event.preventDefault();
  const there = new URL(event.detail[name], location.href);
  if (there.origin === location.origin && there.pathname.startsWith("/app/")) location.assign(there);
});
