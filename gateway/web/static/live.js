// A page that follows what happens: /v1/me/lookups/stream (server-sent events), without polling.
// Load it beside the page's other modules; without a script the page works by reloading.
//
//   <section id="consents" data-live="consent">      fetched anew from this very page, as the server
//                                                     writes it, when a consent changes
//   <div id="lookups" data-live="lookup consent">    several kinds: lookup, consent, asked
//     <ol data-live-adds="60">                       inside: only new items come in, at their place;
//       <li id="…">                                  what is there stays, up to so many
//   data-live-after="{{ place }}"                    on any element: nothing between reading the page
//                                                     and listening is missed; the place is
//                                                     `(await city.watch.place(citizen)).text`
//   <p data-live-state data-on="…" data-off="…">     says whether the page is connected
//   <p role="status" data-live-news="{n} new">       says how many items came in, politely
//
// A region is not replaced under a reader's finger: with the focus or an open dialog in it, it waits.
//
// For a module's own use every event is dispatched on `document`, its JSON value as `detail`:
//   document.addEventListener("live-asked", ({ detail }) => …)     {id, link}
//   "live-lookup", "live-consent", "live-behind"
// `live-asked` comes for what is open when the page begins to listen, too, and may come again.

import { signInAgain } from "./act.js";

const GATHER_MS = 300;
const APART_MS = 1500;
const LATER_MS = 10_000;
const LATEST_MS = 120_000;
const SKEW_MS = 2_000;
const SAID_MS = 30_000;

const regions = () => [...document.querySelectorAll("[data-live][id]")];
const state = document.querySelector("[data-live-state]");
const news = document.querySelector("[data-live-news]");
const pending = new Set();
const held = new WeakSet();

let place = document.querySelector("[data-live-after]")?.dataset.liveAfter ?? "";
const readAt = place === "" ? null : parseInt(place.slice(0, 8) + place.slice(9, 13), 16);
let source = null;
let later = 0;
let waitMs = LATER_MS;
let timer = 0;
let fetchedAt = 0;
let consent = null;
let quiet = 0;

function open() {
  clearTimeout(later);
  if (source || document.hidden) return;
  const after = place === "" ? "" : `?after=${encodeURIComponent(place)}`;
  source = new EventSource(`/v1/me/lookups/stream${after}`);
  source.addEventListener("open", () => {
    waitMs = LATER_MS;
    connected(true);
  });
  source.addEventListener("error", failed);
  source.addEventListener("over", over);
  for (const kind of ["lookup", "behind", "asked", "consent"]) source.addEventListener(kind, heard);
}

function close() {
  source?.close();
  source = null;
  connected(false);
}

/** The browser comes again by itself, unless it was refused: then we do, less and less often. */
function failed() {
  connected(false);
  if (source.readyState !== EventSource.CLOSED) return;
  close();
  later = setTimeout(() => fetchPage().then(open, open), waitMs * (1 + Math.random() / 2));
  waitMs = Math.min(2 * waitMs, LATEST_MS);
}

function over(event) {
  close();
  // Signed out, here or elsewhere: nothing of the page may stay on the screen.
  if (JSON.parse(event.data).reason === "session") location.reload();
}

function heard(event) {
  if (event.lastEventId) place = event.lastEventId;
  const told = JSON.parse(event.data);
  document.dispatchEvent(new CustomEvent(`live-${event.type}`, { detail: told }));
  if (event.type === "consent" && !isNews(told)) return;
  renew(event.type === "behind" ? "lookup" : event.type);
}

/** Whether a change of a consent came after the page was read. */
function isNews(change) {
  const before = consent;
  consent = `${change.id} ${change.version}`;
  if (before !== null) return before !== consent;
  return readAt !== null && Date.parse(change.changed_at) > readAt - SKEW_MS;
}

/** Have the regions of a kind fetched, several events at once. */
function renew(kind) {
  for (const region of regions()) {
    if (region.dataset.live.split(" ").includes(kind)) pending.add(region.id);
  }
  release();
}

/** Fetch what is pending, soon. */
function release() {
  if (pending.size === 0 || timer) return;
  const waits = Math.max(GATHER_MS, fetchedAt + APART_MS - performance.now());
  timer = setTimeout(async () => {
    timer = 0;
    fetchedAt = performance.now();
    try {
      const page = await fetchPage();
      let added = 0;
      for (const id of [...pending]) added += put(id, page.getElementById(id));
      if (added) say(added);
    } catch {
      setTimeout(release, LATER_MS);
    }
  }, waits);
}

/** This very page, fetched and parsed but not run. */
function fetchPage() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.setRequestHeader("accept", "text/html");
    request.responseType = "document";
    request.timeout = 15_000;
    request.onload = () => {
      if (new URL(request.responseURL).pathname.endsWith("/sign-in")) signInAgain();
      else if (request.status === 200 && request.response) resolve(request.response);
      else reject(new Error(String(request.status)));
    };
    request.onerror = request.ontimeout = () => reject(new Error("offline"));
    request.send();
  });
}

/** Put a fresh region in the place of the present one; how many items were added. */
function put(id, fresh) {
  const present = document.getElementById(id);
  if (!present || !fresh) {
    pending.delete(id);
    return 0;
  }
  const list = present.querySelector("[data-live-adds]");
  const items = [...(fresh.querySelector("[data-live-adds]")?.children ?? [])];
  if (list?.children.length) {
    pending.delete(id);
    return add(list, items);
  }
  if (present.contains(document.activeElement) || present.querySelector("dialog[open]")) {
    if (!held.has(present)) present.addEventListener("focusout", () => setTimeout(release));
    held.add(present);
    return 0;
  }
  pending.delete(id);
  present.replaceWith(document.adoptNode(fresh));
  return items.length;
}

function add(list, items) {
  let added = 0;
  let before = list.firstElementChild;
  for (const item of items) {
    const known = document.getElementById(item.id);
    if (known) before = known.nextElementSibling;
    else {
      list.insertBefore(document.adoptNode(item), before);
      added += 1;
    }
  }
  while (list.children.length > Number(list.dataset.liveAdds)) {
    if (list.lastElementChild.contains(document.activeElement)) break;
    list.lastElementChild.remove();
  }
  return added;
}

function say(count) {
  if (!news) return;
  clearTimeout(quiet);
  news.textContent = news.dataset.liveNews.replace("{n}", String(count));
  quiet = setTimeout(() => { news.textContent = ""; }, SAID_MS);
}

function connected(is) {
  if (state) state.textContent = is ? state.dataset.on : state.dataset.off;
}

document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("focus", open);
addEventListener("online", open);
addEventListener("offline", close);
addEventListener("pagehide", close);
open();
