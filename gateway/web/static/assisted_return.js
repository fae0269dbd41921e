// A returning person: the document finds a handle where a consent stands, and then one may ask.
import { Problem, send, tell } from "./act.js";
import { askAbout } from "./ask.js";
import { documentOf, forgiveTyping } from "./document.js";

const form = document.getElementById("search");
forgiveTyping(form);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const shown = documentOf(form);
  if (!shown || form.dataset.busy) return;
  form.dataset.busy = "yes";
  const alert = form.querySelector('[role="alert"]');
  alert.textContent = "";
  try {
    const found = await send("/v1/counter/assisted/finds", { scenario: form.dataset.scenario, document: shown });
    askAbout(found.person);
    form.reset();
    for (const step of document.querySelectorAll("[data-step]")) step.hidden = step.dataset.step !== "ask";
    document.querySelector('[data-step="ask"] h1').focus();
  } catch (problem) {
    tell(form, problem);
    if (problem instanceof Problem && problem.status === 404) alert.textContent = form.dataset.none;
  }
  delete form.dataset.busy;
});
