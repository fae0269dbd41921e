// Taking up an account at the counter: the link's token stands behind the hash of the address and
// leaves the browser in the bodies of these requests only.
import { Problem, send, tell } from "./act.js";

const token = location.hash.slice(1);
const choose = document.getElementById("choose");
const confirm = document.getElementById("confirm");
const word = (name) => document.querySelector(`#words [data-word="${name}"]`).textContent;

async function begin() {
  if (!token) return show("no-link");
  try {
    const whose = await send("/v1/counter/enrolment/link", { token });
    document.getElementById("whose").textContent = word("whose")
      .replace("[name]", whose.name)
      .replace("[party]", whose.party)
      .replace("[login]", whose.login);
    choose.elements.username.value = whose.login;
    show("choose");
    document.getElementById("password").focus();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    show("no-link");
    if (problem.status !== 404) document.querySelector("#no-link .alert").textContent = problem.words;
  }
}

function show(id) {
  for (const each of ["no-link", "choose", "confirm"]) document.getElementById(each).hidden = each !== id;
}

/** One step of a form at a time: the second click of two does nothing. */
function steps(form, step) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    form.querySelector('[role="alert"]').textContent = "";
    try {
      await step();
    } catch (problem) {
      tell(form, problem);
      const reason = problem.errors?.[0]?.detail;
      const known = reason && document.querySelector(`#words [data-word="${reason}"]`);
      if (known) form.querySelector('[role="alert"]').textContent = known.textContent;
      delete form.dataset.busy;
    }
  });
}

steps(choose, async () => {
  const password = document.getElementById("password").value;
  if (password !== document.getElementById("again").value) {
    choose.querySelector('[role="alert"]').textContent = word("differ");
    delete choose.dataset.busy;
    return;
  }
  const offered = await send("/v1/counter/enrolment", { token, password });
  const picture = new Blob([offered.qr], { type: "image/svg+xml" });
  document.getElementById("qr").src = URL.createObjectURL(picture);
  document.getElementById("secret").textContent = offered.secret.replace(/(.{4})(?=.)/g, "$1 ");
  show("confirm");
  confirm.querySelector("h2").focus();
});

steps(confirm, async () => {
  await send("/v1/counter/enrolment/confirmation", { code: confirm.elements.code.value });
  location.replace(confirm.dataset.then);
});

begin();
