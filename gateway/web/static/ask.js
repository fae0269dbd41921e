// The question about a person at the desk, under the handle that recording or finding gave.
import { send, tell } from "./act.js";

const form = document.getElementById("ask");
const outcome = document.getElementById("outcome");
let person = null;

/** Ask about this person from now on. */
export function askAbout(handle) {
  person = handle;
  outcome.replaceChildren();
}

function factsOf() {
  const facts = {};
  for (const input of form.querySelectorAll("[data-unit]")) {
    if (input.value === "") continue; // an optional one
    const unit = input.dataset.unit;
    if (unit === "fen") facts[input.name] = Math.round(Number(input.value) * 100);
    else if (unit === "count") facts[input.name] = Number(input.value);
    else if (unit === "time") facts[input.name] = new Date(input.value).toISOString();
    else facts[input.name] = input.value;
  }
  return facts;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.dataset.busy) return; // the second click of two
  form.dataset.busy = "yes";
  form.querySelector('[role="alert"]').textContent = "";
  outcome.replaceChildren();
  try {
    const body = { scenario: form.dataset.scenario, facts: factsOf(), person };
    const answer = await send("/v1/counter/questions", body);
    person = answer.person;
    outcome.append(document.getElementById(`outcome-${answer.outcome}`).content.cloneNode(true));
  } catch (problem) {
    tell(form, problem);
  }
  delete form.dataset.busy;
});
