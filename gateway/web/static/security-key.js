// Security keys (WebAuthn): one is added to an account, or takes the place of the six digits.
import { Problem, send, tell } from "./act.js";

const adding = document.getElementById("add-key");
const using = document.getElementById("use-key");

/** One attempt at a time; what the authenticator refuses is said like any other problem. */
function attempts(form, attempt) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    const alert = form.querySelector('[role="alert"]');
    alert.textContent = "";
    try {
      await attempt();
    } catch (fault) {
      if (fault instanceof Problem) tell(form, fault);
      else if (fault instanceof DOMException) alert.textContent = alert.dataset.refused;
      else throw fault;
      delete form.dataset.busy;
    }
  });
}

attempts(adding, async () => {
  const { options } = await send("/v1/counter/keys/options");
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = await navigator.credentials.create({ publicKey });
  const name = document.getElementById("key-name").value.trim();
  await send("/v1/counter/keys", { name, credential: made.toJSON() });
  location.reload();
});

attempts(using, async () => {
  const { options } = await send("/v1/counter/second/key/options");
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const answer = await navigator.credentials.get({ publicKey });
  await send("/v1/counter/second/key", { credential: answer.toJSON() });
  location.assign(using.dataset.then);
});
