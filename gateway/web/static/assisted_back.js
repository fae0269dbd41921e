// Taking back at the counter: one form, then its receipt.
import { onDocument } from "./document.js";
import { showReceipt } from "./receipt.js";

const form = document.getElementById("back");
const what = () => ({ what: form.elements.what.value });

onDocument(form, "/v1/counter/assisted/withdrawals", what, (receipt) => {
  showReceipt(receipt);
  for (const step of document.querySelectorAll("[data-step]")) step.hidden = step.dataset.step !== "receipt";
  document.querySelector('[data-step="receipt"] h1').focus();
});
