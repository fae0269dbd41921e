// The camera looks for a code: one still at a time goes to the gateway, as grey pixels, and no
// further one before its answer. The camera ends with the page, when it is hidden, and after a
// minute. What was found leads to a desk's page, unless a module of the page takes it: it listens
// for `found` on #scan (`event.detail` is the answer) and prevents its default.

import { Problem, signInAgain } from "./act.js";

const place = document.getElementById("scan");
const state = document.getElementById("state");
const view = document.getElementById("view");
const video = document.getElementById("video");
const start = document.getElementById("start");
const stop = document.getElementById("stop");
const words = place.dataset;
const side = Number(words.side);
const PAUSE_MS = 500;
const BUSY_MS = 3000;
const PATIENCE_MS = 60_000;

const canvas = document.createElement("canvas");
canvas.width = canvas.height = side;
const pen = canvas.getContext("2d", { willReadFrequently: true });
let camera = null;

/** The middle of what the camera sees, one byte of grey for each pixel. */
function still() {
  const edge = Math.min(video.videoWidth, video.videoHeight);
  const x = (video.videoWidth - edge) / 2;
  const y = (video.videoHeight - edge) / 2;
  pen.drawImage(video, x, y, edge, edge, 0, 0, side, side);
  const { data } = pen.getImageData(0, 0, side, side);
  const grey = new Uint8Array(side * side);
  for (let i = 0; i < grey.length; i += 1) {
    // ITU-R BT.601, in whole numbers.
    grey[i] = (data[4 * i] * 77 + data[4 * i + 1] * 150 + data[4 * i + 2] * 29) >> 8;
  }
  return grey;
}

async function read(grey) {
  const headers = {
    "content-type": "application/octet-stream",
    "x-csrf-token": document.querySelector('meta[name="csrf-token"]').content,
    accept: "application/json",
  };
  let answer;
  try {
    const signal = AbortSignal.timeout(10_000);
    answer = await fetch(`${words.stills ?? "/v1/me/stills"}?width=${side}`, { method: "POST", headers, body: grey, signal });
  } catch {
    throw new Problem("offline", 0);
  }
  if (answer.status === 401) signInAgain();
  const told = await answer.json().catch(() => null);
  if (!answer.ok) throw new Problem(told?.type ?? "", answer.status);
  return told;
}

async function look(mine) {
  const until = Date.now() + PATIENCE_MS;
  say(words.looking);
  while (camera === mine && Date.now() < until) {
    let wait = PAUSE_MS;
    try {
      const told = await read(still());
      if (camera !== mine) return;
      if (told.desk ?? told.code) {
        end();
        say("");
        const taken = new CustomEvent("found", { cancelable: true, detail: told });
        if (place.dispatchEvent(taken)) location.assign(told.desk);
        return;
      }
      say(told.found ? words.foreign : words.looking);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      say(problem.words);
      wait = BUSY_MS;
    }
    await new Promise((go) => setTimeout(go, wait));
  }
  if (camera === mine) {
    end();
    say(words.over);
  }
}

async function begin() {
  let mine;
  const wanted = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError");
    mine = await navigator.mediaDevices.getUserMedia(wanted);
  } catch (fault) {
    say(fault.name === "NotAllowedError" ? words.refused : words.missing);
    return;
  }
  end(); // of a second tap while the first was asking for permission
  camera = mine;
  video.srcObject = mine;
  view.hidden = stop.hidden = false;
  start.hidden = true;
  stop.focus();
  try {
    await video.play();
  } catch (fault) {
    if (camera !== mine) return; // closed before the first picture came
    throw fault;
  }
  look(mine);
}

function end() {
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = null;
  video.srcObject = null;
  view.hidden = stop.hidden = true;
  start.hidden = false;
}

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

start.addEventListener("click", begin);
stop.addEventListener("click", () => {
  end();
  say("");
  start.focus();
});
addEventListener("pagehide", end);
document.addEventListener("visibilitychange", () => document.hidden && end());
