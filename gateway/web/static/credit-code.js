// The code on the screen: asked for, shown, and renewed before it ends, while the page is seen.
//
// Nothing is asked for again and again: the next code brings what happened meanwhile. The citizen's
// stream of events says at once when a party asks in person, and when somebody has asked about the
// citizen: a code is then most likely used, and the next one is asked for without waiting.

import { Problem, send } from "./act.js";

const place = document.getElementById("code");
const state = document.getElementById("state");
const left = document.getElementById("left");
const asks = document.getElementById("asks");
const words = place.dataset;
const again = document.getElementById("again"); // with digits alone
const RETRY_S = [2, 4, 8, 15, 30];
const APART_MS = 2000; // between codes, however much is asked about the citizen
const JUST_MS = 90_000; // for how long "just now" is true

let known = null; // the pages of requests that were open when this page came
let picture = null;
let renewsAt = 0;
let endsAt = 0;
let failures = 0;
let asking = false;
let askedAt = 0;
let heard = false; // something happened while a code was on its way
let newest = null; // when a code was used last, once that is known
let saidUntil = Infinity;
let timer = 0;
let stream = null;
let lock = null;

async function renew() {
  if (asking || document.hidden) return;
  asking = true;
  askedAt = Date.now();
  try {
    const told = await send("/v1/me/credit-code", words.desk ? { desk: words.desk } : {});
    failures = 0;
    show(told);
    met(told.asks);
    used(told);
    listen();
  } catch (problem) {
    failed(problem);
  }
  asking = false;
  if (heard) happened();
}

/** Say who has just used a code; digits that were used are taken away and none follow unasked. */
function used(told) {
  const last = told.scans[0];
  const fresh = newest !== null && last && last.at !== newest;
  newest = last?.at ?? "";
  // By the gateway's clock, of which the end of the code tells: the device's may be wrong.
  const now = Date.parse(told.expires_at) - told.lives_s * 1000;
  const left = last ? Date.parse(last.at) + JUST_MS - now : 0;
  if (left > 0) say(words.used.replace("{party}", last.party), Date.now() + left);
  else say("");
  if (!fresh || !again) return;
  clear();
  renewsAt = saidUntil = Infinity;
  again.hidden = false;
}

/** Ask for the next code soon: something happened that it tells about. */
function happened() {
  heard = asking;
  if (!asking && renewsAt < Infinity) renewsAt = Math.min(renewsAt, askedAt + APART_MS);
}

function show(told) {
  renewsAt = Date.now() + told.renewal_s * 1000;
  endsAt = Date.now() + told.lives_s * 1000;
  if (again) again.hidden = true;
  if (told.svg === null) {
    const digits = `${told.code.slice(0, 4)} ${told.code.slice(4)}`;
    document.getElementById("digits").textContent = digits;
    return;
  }
  const next = new Image();
  next.alt = words.picture;
  next.src = URL.createObjectURL(new Blob([told.svg], { type: "image/svg+xml" }));
  document.getElementById("qr").replaceChildren(next);
  if (picture) URL.revokeObjectURL(picture.src);
  picture = next;
}

function failed(problem) {
  if (!(problem instanceof Problem)) throw problem;
  const wait = RETRY_S[Math.min(failures, RETRY_S.length - 1)];
  failures += 1;
  renewsAt = Date.now() + wait * 1000;
  if (problem.status === 404) {
    renewsAt = Infinity;
    say(words.unknown);
  } else say(problem.type === "offline" ? words.offline : problem.words);
}

/** Take the code away: one that has ended, or that nobody should see. */
function clear() {
  endsAt = 0;
  left.textContent = "\u00a0";
  document.getElementById("qr")?.replaceChildren();
  document.getElementById("digits")?.replaceChildren();
}

function tick() {
  const now = Date.now();
  if (endsAt && now >= endsAt) clear();
  // Never read aloud: a number that changes each second would drown everything else.
  if (endsAt && !failures) {
    const seconds = Math.max(0, Math.ceil((renewsAt - now) / 1000));
    left.textContent = words.left.replace("{seconds}", seconds);
  }
  if (now >= saidUntil) say("");
  if (now >= renewsAt) renew();
}

/** Go to what is asked just now; what was open before is only listed. */
function met(pages) {
  if (known === null) {
    known = new Set(pages);
    list(pages);
    return;
  }
  const fresh = pages.find((page) => !known.has(page));
  if (fresh) location.assign(fresh);
}

function list(pages) {
  asks.replaceChildren(
    ...pages.slice(0, 5).map((page) => {
      const link = document.createElement("a");
      link.className = "button wide";
      link.href = page;
      link.textContent = words.waits;
      const row = document.createElement("li");
      row.append(link);
      return row;
    }),
  );
}

function listen() {
  if (stream) return;
  stream = new EventSource("/v1/me/lookups/stream");
  stream.addEventListener("asked", (event) => {
    met([new URL(JSON.parse(event.data).link, location.href).pathname]);
  });
  stream.addEventListener("lookup", happened);
  // Another page of ours has taken its place, or the session is over: the next renewal says so.
  stream.addEventListener("over", () => stream.close());
}

function say(text, until = Infinity) {
  saidUntil = until;
  if (state.textContent !== text) state.textContent = text;
}

async function keepAwake() {
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    lock = null; // a battery that is low; the screen then goes dark as ever
  }
}

function seen() {
  if (document.hidden) {
    clearInterval(timer);
    stream?.close();
    stream = null;
    lock?.release();
    clear();
    return;
  }
  renewsAt = 0;
  timer = setInterval(tick, 500);
  keepAwake();
  tick();
}

addEventListener("online", () => (renewsAt = 0));
addEventListener("offline", () => say(words.offline));
document.addEventListener("visibilitychange", seen);
seen();
