// Asking at the counter: facts are filled in, a code is scanned or typed, the answer stands large.
// About whom it was is known to this page as a sealed handle, and forgotten with the next customer.
import { Problem, send } from "./act.js";
import { takeOver } from "./hand-over.js";

const form = document.getElementById("ask");
const answer = document.getElementById("answer");
const verdict = document.getElementById("verdict");
const fault = document.getElementById("fault");
const code = document.getElementById("code");
const button = (id) => document.getElementById(id);
const word = (name) => document.querySelector(`#words [data-word="${name}"]`).textContent;
const english = document.documentElement.lang === "en";
// Times are the city's, whatever the device thinks; without daylight saving since 1991.
const BEIJING = "Asia/Shanghai";
const BEIJING_MS = 8 * 3600 * 1000;
const LOOK_MS = 2000;
const LOOKS = 45;

let person = takeOver(); // the handle of the citizen in front of us; served without a phone before
let busy = false;
let round = 0; // a customer who has left is not looked for any more

button("found").hidden = person === null;
for (const input of form.querySelectorAll("[data-start]")) {
  const there = new Date(Date.parse(input.dataset.start) + BEIJING_MS);
  input.value = there.toISOString().slice(0, 16);
  input.dataset.first = input.value;
}

/** The value of an input as the API takes it; undefined where it is left out, null where wrong. */
function valueOf(input) {
  const text = input.value.trim();
  const kind = input.dataset.kind;
  if (kind === "flag") return input.checked;
  if (text === "") return input.required ? null : undefined;
  if (kind === "moment") return new Date(`${text}+08:00`).toISOString();
  if (kind === "text") return text;
  const fits = kind === "money" ? /^\d{1,9}(\.\d{1,2})?$/ : /^\d{1,9}$/;
  if (!fits.test(text)) return null;
  const [whole, part = ""] = text.split(".");
  const value = kind === "money" ? Number(whole) * 100 + Number(part.padEnd(2, "0")) : Number(text);
  return value < Number(input.dataset.min ?? 0) || value > Number(input.dataset.max ?? 1e15) ? null : value;
}

/** The facts, or null where one is missing or wrong, which is then said beside it. */
function factsOf() {
  const facts = {};
  let first = null;
  for (const input of form.querySelectorAll("[data-fact]")) {
    const value = valueOf(input);
    const beside = document.getElementById(`fault-${input.dataset.fact}`);
    if (beside) beside.textContent = value === null ? word(input.value.trim() ? "wrong" : "required") : "";
    input.setAttribute("aria-invalid", String(value === null));
    if (value === null) first ??= input;
    else if (value !== undefined) facts[input.dataset.fact] = value;
  }
  first?.focus();
  return first ? null : facts;
}

function question(who) {
  const facts = factsOf();
  if (facts === null) return null;
  const reference = button("reference").value.trim();
  return { scenario: form.dataset.scenario, facts, ...who, ...(reference && { reference }) };
}

async function ask(who) {
  if (busy) return;
  fault.textContent = "";
  const asked = question(who);
  if (asked === null) return;
  busy = true;
  button("send").setAttribute("aria-disabled", "true");
  try {
    await follow(asked, await send("/v1/counter/questions", asked));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    show(null);
    fault.textContent = toldOf(problem);
  } finally {
    busy = false;
    button("send").removeAttribute("aria-disabled");
  }
}

function toldOf(problem) {
  const pointer = problem.errors?.[0]?.pointer ?? "";
  if (problem.status === 404) return word("used");
  if (pointer === "/code") return word("no-code");
  if (pointer === "/desk") return word("no-desk");
  if (pointer === "/person") {
    person = null;
    return word("over");
  }
  return problem.words;
}

/** Show what came, and look again for as long as the citizen takes to decide. */
async function follow(asked, told) {
  const mine = ++round;
  show(told);
  for (let looks = 0; told.status === "waiting" && looks < LOOKS; looks += 1) {
    await new Promise((go) => setTimeout(go, LOOK_MS));
    if (mine !== round || document.hidden) break;
    told = await send("/v1/counter/questions", { ...asked, code: undefined, person });
    if (mine !== round) return;
    if (told.status !== "waiting") show(told);
    else person = told.person;
  }
  button("look").hidden = mine !== round || told.status !== "waiting";
}

function show(told) {
  answer.hidden = told === null;
  button("same").hidden = button("found").hidden = true;
  form.classList.toggle("answered", told !== null);
  if (told === null) return;
  code.value = "";
  person = told.person ?? null;
  const outcome = told.outcome ?? told.status;
  const shown = document.getElementById(`tell-${outcome}`).content.cloneNode(true);
  const list = shown.querySelector("[data-obligations]");
  if (outcome === "eligible") {
    for (const each of told.obligations) {
      const tick = document.getElementById("tick").content.cloneNode(true);
      tick.querySelector("span").textContent = english ? each.en : each.zh;
      list.append(tick);
    }
    const how = { hourCycle: "h23", timeZone: BEIJING };
    const until = new Date(told.valid_until).toLocaleTimeString(document.documentElement.lang, how);
    shown.querySelector("[data-valid]").textContent = word("valid").replace("[time]", until);
  } else list.remove();
  verdict.replaceChildren(shown);
  button("again").hidden = told.status !== "answered";
  button("look").hidden = true;
  answer.focus();
  answer.scrollIntoView({ block: "start" });
}

/** Nothing of this customer stays on the page. */
function next() {
  round += 1;
  person = null;
  show(null);
  verdict.replaceChildren();
  form.reset();
  for (const input of form.querySelectorAll("[data-first]")) input.value = input.dataset.first;
  fault.textContent = "";
  form.querySelector("input:not([type=hidden])").focus();
  scrollTo({ top: 0 });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = code.value.replace(/\s/g, "");
  if (typed) return ask({ code: typed });
  if (person) return ask({ person });
  factsOf();
  fault.textContent = word("no-code");
});
document.getElementById("scan").addEventListener("found", (event) => {
  event.preventDefault();
  ask({ code: event.detail.code });
});
button("next").addEventListener("click", next);
button("again").addEventListener("click", () => {
  show(null);
  button("same").hidden = false;
  form.querySelector("input:not([type=hidden])").focus();
});
button("look").addEventListener("click", () => person && ask({ person }));
