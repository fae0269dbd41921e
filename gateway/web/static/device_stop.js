// Stopping a device: since when, which promises that would void, and then the act.

import { Problem, send, tell } from "./act.js";
import { forgetKey } from "./device.js";
import { word } from "./words.js";

const form = document.getElementById("stop");
const button = form.querySelector("button");
const moment = document.getElementById("moment");
const path = `/v1/me/devices/${form.dataset.device}/revocation`;

class Missing extends Error {}

/** Since when, as the API takes it; undefined where the device was never out of hand. */
function since() {
  const chosen = form.querySelector("input[name=how]:checked");
  if (chosen.value === "today") return chosen.dataset.since;
  if (chosen.value === "mine") return undefined;
  if (!moment.value) throw new Missing(word("moment_missing"));
  const instant = new Date(`${moment.value}+08:00`); // a time of day in Hangzhou, wherever I am
  if (instant.getTime() > Date.now()) throw new Missing(word("moment_ahead"));
  return instant.toISOString();
}

/** Mark the promises that would be void. */
async function preview() {
  document.getElementById("when").hidden = !form.querySelector("input[value=moment]").checked;
  warn("");
  let from;
  try {
    from = since();
  } catch {
    from = undefined; // nothing chosen yet
  }
  const query = from === undefined ? "" : `?compromised_since=${encodeURIComponent(from)}`;
  const told = await send(path + query, undefined, "GET");
  const gone = new Set(told.void.map((each) => each.id));
  for (const line of form.querySelectorAll("[data-commitment]")) {
    const voids = gone.has(line.dataset.commitment);
    line.querySelector("[data-voids]").hidden = !voids;
    line.querySelector("[data-stays]").hidden = voids;
  }
}

async function submitted(event) {
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  button.setAttribute("aria-disabled", "true");
  warn("");
  try {
    const from = since();
    await send(path, from === undefined ? {} : { compromised_since: from });
    await forgetKey(form.dataset.owner, form.dataset.kid).catch(() => undefined); // if it is here
    location.assign("/app/devices");
    return; // busy until the next page is there
  } catch (fault) {
    failed(fault);
  }
  delete form.dataset.busy;
  button.removeAttribute("aria-disabled");
}

function failed(fault) {
  if (fault instanceof Missing) warn(fault.message);
  else if (fault instanceof Problem) tell(form, fault);
  else throw fault;
}

function warn(words) {
  form.querySelector('[role="alert"]').textContent = words;
}

const previewed = () => preview().catch(failed);
form.addEventListener("submit", submitted);
form.addEventListener("change", previewed);
previewed();
