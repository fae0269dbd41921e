// Serving a person without a phone: one step a screen. The step is the hash of the address, so that
// the browser's back button goes a step back; what was typed and said is in this page alone, and a
// reload begins anew.
import { send, tell } from "./act.js";
import { documentOf, forgiveTyping } from "./document.js";
import { handOver } from "./hand-over.js";
import { showReceipt } from "./receipt.js";

const visit = document.getElementById("visit");
const steps = new Map([...visit.querySelectorAll("[data-step]")].map((each) => [each.dataset.step, each]));
const reading = [...visit.querySelectorAll("[data-read]")];
const said = {};
let shown = null; // the document, once it was checked
let done = false; // recorded: no way back into the steps

function go(step) {
  location.hash = step;
  show(); // at once: the event of the address comes later
}

function show() {
  let step = location.hash.slice(1);
  if (!shown || !steps.has(step)) step = "document";
  if (done) step = "receipt";
  else if (step === "receipt") step = "document";
  for (const [name, each] of steps) each.hidden = name !== step;
  if (step !== "document" || shown) steps.get(step).querySelector("h1").focus();
  scrollTo(0, 0);
}

function answered(text, word) {
  said[text] = word === "yes";
  if (text === "consent" && !said.consent) return go("ordinary");
  const next = reading[reading.findIndex((each) => each.dataset.read === text) + 1];
  if (next) return go(next.dataset.step);
  for (const place of visit.querySelectorAll("[data-answer]")) {
    const words = document.getElementById(said[place.dataset.answer] ? "said-yes" : "said-no");
    place.textContent = words.content.textContent;
  }
  go("check");
}

function whole() {
  const read = Object.fromEntries(reading.map((each) => [each.dataset.read, each.dataset.sha256]));
  const left = said.score ? [...visit.querySelectorAll("[name=leave_out]:checked")] : [];
  return {
    scenario: visit.dataset.scenario,
    purpose: visit.dataset.purpose,
    document: shown,
    read,
    said,
    leave_out: left.map((each) => each.value),
  };
}

const typed = document.getElementById("document");
forgiveTyping(typed);
typed.addEventListener("submit", (event) => {
  event.preventDefault();
  const found = documentOf(typed);
  if (!found) return;
  shown = found;
  go(reading[0].dataset.step);
});

const check = document.getElementById("check");
check.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (check.dataset.busy) return; // the second click of two
  check.dataset.busy = "yes";
  check.querySelector('[role="alert"]').textContent = "";
  try {
    const recorded = await send("/v1/counter/assisted/records", whole());
    done = true;
    showReceipt(recorded.receipt);
    document.getElementById("ask").addEventListener("click", () => handOver(recorded.person));
    typed.reset();
    go("receipt");
  } catch (problem) {
    tell(check, problem);
    delete check.dataset.busy;
  }
});

visit.addEventListener("click", (event) => {
  const button = event.target.closest("[data-said]");
  // The second click of two is no answer to the next text, which is there already.
  if (button && event.detail < 2) answered(button.dataset.text, button.dataset.said);
});
addEventListener("hashchange", show);
if (location.hash) history.replaceState(null, "", location.pathname + location.search);
show();
