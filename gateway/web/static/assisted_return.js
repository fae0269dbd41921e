// A returning person: the document finds a handle where a consent stands, and then one may ask.
import { Problem, send, tell } from "./act.js";
import { documentOf, forgiveTyping } from "./document.js";
import { handOver } from "./hand-over.js";

const form = document.getElementById("search");
forgiveTyping(form);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const shown = documentOf(form);
  if (!shown || form.dataset.busy) return;
  form.dataset.busy = "yes";
  const alert = form.querySelector('[role="alert"]');
  alert.textContent = "";
  const scenario = form.dataset.scenario;
  try {
    const found = await send("/v1/counter/assisted/finds", { scenario, document: shown });
    handOver(found.person);
    form.reset();
    location.assign(`/counter/?scenario=${scenario}`);
  } catch (problem) {
    tell(form, problem);
    if (problem instanceof Problem && problem.status === 404) alert.textContent = form.dataset.none;
    delete form.dataset.busy;
  }
});
