// The account is closed: this browser forgets the key it signed with, and the page is left for good.

import { forgetKey, heldKey } from "./device.js";

const form = document.getElementById("closing");

async function forget(owner) {
  try {
    const held = await heldKey(owner);
    if (held !== null) await forgetKey(owner, held.kid);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

form?.addEventListener("acted", async (event) => {
  event.preventDefault();
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  await Promise.race([forget(form.dataset.owner), new Promise((done) => setTimeout(done, 2000))]);
  location.replace(form.dataset.then);
});
