// Signing a promise: the text is shown under a draft of ten minutes, and what is shown is signed.

import { Problem, send, tell } from "./act.js";
import { NoStorage, forgetKey, heldKey, kindOfDevice, ownKey } from "./device.js";
import { OtherText, signedDraft } from "./sign.js";
import { word } from "./words.js";

const form = document.getElementById("sign");
const button = form.querySelector("button");
const label = button.textContent;
const [zh, en] = ["zh", "en"].map((language) => document.getElementById(`text-${language}`));
const { scenario, party, owner, then } = form.dataset;

let draft = null;
let until = 0; // on the clock of this page, which no change of the date moves
let signature = null; // of one draft by one key: sent again after a lost answer it is the same write

/** Show the text under a fresh draft; the words say why where it is shown again. */
async function show(why) {
  draft = null;
  const shown = performance.now();
  const made = await send("/v1/me/commitments/drafts", party ? { scenario, party } : { scenario });
  const same = zh.textContent === made.text.zh;
  zh.textContent = made.text.zh;
  en.textContent = made.text.en;
  draft = made;
  until = shown + (made.exp - made.iat) * 1000;
  setTimeout(expired, until - performance.now());
  say(why ?? (same ? "" : word("changed")));
  button.textContent = label;
  if (why || !same) document.getElementById("top").focus();
}

function expired() {
  if (performance.now() < until || form.dataset.busy) return;
  draft = null;
  say(word("expired"));
  button.textContent = word("look_again");
}

async function submitted(event) {
  event.preventDefault();
  if (form.dataset.busy) return; // the second click of two
  busy(true);
  let signed = null;
  try {
    signed = await sign();
  } catch (fault) {
    await told(fault);
  }
  if (signed) location.assign(then);
  else busy(false); // or busy until the next page is there
}

/** The promise as it was recorded; null where there is something to read or decide first. */
async function sign() {
  if (draft === null || performance.now() >= until) return show(word("renewed"));
  let key = await usableKey();
  if (performance.now() >= until) return show(word("renewed")); // a long while at the question
  for (let tries = 0; key !== null; tries += 1) {
    try {
      return await send("/v1/me/commitments", { jws: await signedBy(key) });
    } catch (problem) {
      // Stopped between the look and the signature: the draft still stands for another key.
      const refused = problem.type === "urn:qianjiang:problem:commitment-refused";
      if (!refused || tries > 0 || (await standing(key.kid)) !== "stopped") throw problem;
      key = await usableKey();
    }
  }
  return null;
}

async function signedBy(key) {
  if (signature?.nonce !== draft.nonce || signature.kid !== key.kid) {
    const jws = await signedDraft(draft, zh.textContent, key);
    signature = { nonce: draft.nonce, kid: key.kid, jws };
  }
  return signature.jws;
}

/** A key that may sign now, registered first where the person agrees; else null. */
async function usableKey() {
  const held = await heldKey(owner);
  const state = held ? await standing(held.kid) : "unknown";
  if (state === "live") return held;
  const name = await asked(state === "stopped" ? "stopped" : "first");
  if (name === null) return null;
  if (state === "stopped") await forgetKey(owner, held.kid);
  const key = await ownKey(owner);
  await send("/v1/me/devices", { name, jwk: key.jwk });
  return key;
}

/** What the city knows of a key: "live", "stopped" or "unknown". */
async function standing(kid) {
  const { devices } = await send("/v1/me/devices", undefined, "GET");
  const device = devices.find((each) => each.kid === kid);
  if (!device) return "unknown";
  return device.revoked_at === null ? "live" : "stopped";
}

/** Ask for a name to register this device under; null for "not now". */
function asked(why) {
  const dialog = document.getElementById("register");
  const name = dialog.querySelector("input");
  for (const each of dialog.querySelectorAll("[data-why]")) each.hidden = each.dataset.why !== why;
  name.value ||= word(`kind_${kindOfDevice()}`);
  dialog.returnValue = "";
  return new Promise((resolve) => {
    const closed = () => resolve(dialog.returnValue === "yes" ? name.value : null);
    dialog.addEventListener("close", closed, { once: true });
    dialog.showModal();
  });
}

async function told(fault) {
  say("");
  if (fault instanceof NoStorage) return warn(word("no_storage"));
  try {
    if (fault instanceof OtherText) {
      await show(word("renewed"));
      return warn(word("altered"));
    }
    if (fault.type === "urn:qianjiang:problem:text-changed") return await show(word("changed"));
  } catch (second) {
    fault = second;
  }
  // A draft that was refused is spent; after a lost connection the same signature is sent again.
  if (fault instanceof Problem && fault.status === 422) draft = null;
  return tell(form, fault);
}

function busy(now) {
  if (now) {
    form.dataset.busy = "yes";
    warn("");
    say(word("checking"));
  } else {
    delete form.dataset.busy;
    if (document.getElementById("state").textContent === word("checking")) say("");
  }
  button.setAttribute("aria-disabled", String(now));
}

function say(words) {
  document.getElementById("state").textContent = words;
}

function warn(words) {
  form.querySelector('[role="alert"]').textContent = words;
}

form.addEventListener("submit", submitted);
show().then(
  () => (form.dataset.shown = "yes"),
  (fault) => told(fault),
);
