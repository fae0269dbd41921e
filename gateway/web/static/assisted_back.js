// Taking back at the counter: one form, then its receipt.
import { Problem, send, tell } from "./act.js";
import { documentOf, forgiveTyping } from "./document.js";
import { showReceipt } from "./receipt.js";

const form = document.getElementById("back");
forgiveTyping(form);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const shown = documentOf(form);
  if (!shown || form.dataset.busy) return;
  form.dataset.busy = "yes";
  const alert = form.querySelector('[role="alert"]');
  alert.textContent = "";
  try {
    const what = form.elements.what.value;
    const body = { scenario: form.dataset.scenario, what, document: shown };
    showReceipt(await send("/v1/counter/assisted/withdrawals", body));
    form.reset();
    for (const step of document.querySelectorAll("[data-step]")) step.hidden = step.dataset.step !== "receipt";
    document.querySelector('[data-step="receipt"] h1').focus();
  } catch (problem) {
    tell(form, problem);
    if (problem instanceof Problem && problem.status === 404) alert.textContent = form.dataset.none;
    delete form.dataset.busy;
  }
});
