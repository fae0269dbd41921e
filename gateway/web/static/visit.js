// A visitor sets out: a key of this browser for this visit alone, then to the home city's page.

import { bodyOf, send, tell } from "./act.js";
import { NoStorage, freshKey } from "./device.js";
import { word } from "./words.js";

const form = document.getElementById("visit");

async function setOut(event) {
  event.preventDefault();
  if (form.dataset.busy) return; // the second click of two
  const { scenarios } = bodyOf(form);
  if (scenarios.length === 0) return warn(word("choose"));
  busy(true);
  try {
    const { kid } = await freshKey("visit");
    const body = { home: form.dataset.home, scenarios, jkt: kid };
    location.assign((await send("/v1/visits", body)).location);
    return; // busy until the other city's page is there
  } catch (fault) {
    if (fault instanceof NoStorage) warn(word("no_storage"));
    else if (fault.type === "urn:qianjiang:problem:visit-refused") warn(word("turned_away"));
    else tell(form, fault);
  }
  busy(false);
}

function busy(now) {
  if (now) form.dataset.busy = "yes";
  else delete form.dataset.busy;
  form.querySelector("button").setAttribute("aria-disabled", String(now));
  form.querySelector('[role="status"]').textContent = now ? word("asking") : "";
  if (now) warn("");
}

function warn(words) {
  form.querySelector('[role="alert"]').textContent = words;
}

form?.addEventListener("submit", setOut);
// Who comes back by the browser's own memory may set out again.
addEventListener("pageshow", () => form && busy(false));
