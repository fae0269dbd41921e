// A visitor arrives: this browser shows twice that it holds the visit's key, for the token and for
// the session, and then forgets it. The token never leaves this page.

import { NoStorage, forgetKey, heldKey } from "./device.js";
import { postProven } from "./dpop.js";
import { word } from "./words.js";

const { dataset } = document.getElementById("arrival");
// The server's clock, and how long ago it was read; the telephone's own may be wrong.
const read = performance.now();
const now = () => Number(dataset.now) + Math.floor((performance.now() - read) / 1000);

/** Why it did not work, by the page's word for it; `again`: the same may work in a moment. */
class Stopped extends Error {
  constructor(name, again = false) {
    super(name);
    this.again = again;
  }
}

async function arrive() {
  const key = await heldKey("visit");
  if (key === null) throw new Stopped("other_browser");
  const granted = await proven("/v1/visits/token", key, { url: dataset.token, now });
  const { access_token: token } = await granted.json();
  await proven("/v1/visits/session", key, { url: dataset.session, now, token });
  await forgetKey("visit", key.kid);
  location.replace("/app/");
}

async function proven(path, key, about) {
  let answer;
  try {
    answer = await postProven(path, key, about);
  } catch {
    throw new Stopped("not_now", true);
  }
  if (answer.ok) return answer;
  const later = answer.status >= 500 || answer.status === 429;
  throw new Stopped(later ? "not_now" : "not_in", later);
}

function told(fault) {
  const stopped = fault instanceof NoStorage ? new Stopped("no_storage") : fault;
  if (!(stopped instanceof Stopped)) throw stopped;
  document.getElementById("going").hidden = true;
  document.querySelector("h1").textContent = word("stopped");
  document.querySelector('[role="alert"]').textContent = word(stopped.message);
  document.getElementById(stopped.again ? "again" : "anew").hidden = false;
}

arrive().catch(told);
