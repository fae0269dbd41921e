// The document of a person at the counter: typing errors are told at once, before anything is sent.
// What is typed lives in the form and goes into the bodies of requests only.

import { send, tell } from "./act.js";

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** Whether a text is an identity number (GB 11643-1999): its form and its check letter. */
export function isNumber(text) {
  if (!/^[1-9][0-9]{16}[0-9X]$/.test(text)) return false;
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(text[at]), 0);
  return "10X98765432"[sum % 11] === text[17];
}

/** The document of a form, or null where something is missing or wrong; the browser says what. */
export function documentOf(form) {
  const { kind, name, id_number: number, birthdate } = form.elements;
  const typed = number.value.trim().toUpperCase();
  number.setCustomValidity(isNumber(typed) ? "" : number.dataset.wrong);
  const born = `${typed.slice(6, 10)}-${typed.slice(10, 12)}-${typed.slice(12, 14)}`;
  birthdate?.setCustomValidity(
    birthdate.value && isNumber(typed) && birthdate.value !== born ? birthdate.dataset.wrong : "",
  );
  if (!form.reportValidity()) return null;
  const shown = { kind: kind.value, id_number: typed };
  if (!birthdate) return shown;
  return { ...shown, name: name.value.trim(), birthdate: birthdate.value, full_capacity: true };
}

/** What was found wrong is looked at anew as soon as it is typed over. */
export function forgiveTyping(form) {
  form.addEventListener("input", (event) => event.target.setCustomValidity?.(""));
}

/**
 * Send what a form's document is shown for, once for two clicks. `more` makes the rest of the body,
 * `then` gets the answer; where nothing is found the form's own words say so.
 */
export function onDocument(form, path, more, then) {
  forgiveTyping(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const shown = documentOf(form);
    if (!shown || form.dataset.busy) return;
    form.dataset.busy = "yes";
    const alert = form.querySelector('[role="alert"]');
    alert.textContent = "";
    try {
      const answer = await send(path, { scenario: form.dataset.scenario, ...more(), document: shown });
      form.reset();
      then(answer);
    } catch (problem) {
      tell(form, problem);
      if (problem.status === 404) alert.textContent = form.dataset.none;
      delete form.dataset.busy;
    }
  });
}
