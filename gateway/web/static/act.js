// Every write of a page goes through here: a form with `data-act` (or `send`) becomes one JSON
// request with the session's CSRF token and an idempotency key.
//
//   <form data-act="/v1/me/…" data-then="/app/…">   where to go afterwards; else the page reloads
//     <input name="days" data-as="int">              int, list, flag, moment; a text otherwise
//     <input name="about.kind">                      a member of the object `about`
//     <p role="alert" class="alert"></p>             where a problem is told
//     <button>…</button>
//   <button data-opens="id">, <button data-closes>    dialogs
//
// An empty input is left out, or sent as null with data-empty="null". A module that wants the answer listens for `acted` on the form
// (`event.detail` is the answer) and prevents its default to stay on the page.

const problems = JSON.parse(document.getElementById("problems").textContent);
const keys = new Map();

/** A write that was not done: `type` is the problem's type, "offline" without a connection. */
export class Problem extends Error {
  constructor(type, status, errors = []) {
    super(type);
    this.type = type;
    this.status = status;
    this.errors = errors;
  }

  /** What happened, in the reader's language. */
  get words() {
    return problems[this.type] ?? problems[""];
  }
}

/** Post a body (or none) and return the answer's JSON. The same body again is the same write. */
export async function send(path, body, method = "POST") {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const name = `${method} ${path} ${content}`;
  if (!keys.has(name)) keys.set(name, crypto.randomUUID());
  const headers = {
    "x-csrf-token": document.querySelector('meta[name="csrf-token"]').content,
    "idempotency-key": `"${keys.get(name)}"`,
    accept: "application/json",
  };
  if (content !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: content, signal: AbortSignal.timeout(15000) });
  } catch {
    throw new Problem("offline", 0);
  }
  if (answer.status === 401) signInAgain();
  const told = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) {
    // What was refused may be tried again as a new write; after a failure nobody knows.
    if (answer.status < 500) keys.delete(name);
    throw new Problem(told?.type ?? "", answer.status, told?.errors);
  }
  keys.delete(name);
  return told;
}

/** The session is over: sign in and come back to this very page. */
export function signInAgain() {
  const here = location.pathname + location.search;
  const place = here.startsWith("/counter") ? "/counter/sign-in" : "/app/sign-in";
  location.assign(`${place}?return_to=${encodeURIComponent(here)}`);
}

/** Tell a problem where the reader is looking. */
export function tell(place, problem) {
  const alert = place?.querySelector('[role="alert"]');
  if (!(problem instanceof Problem)) throw problem;
  if (alert) alert.textContent = problem.words;
}

/** The named inputs of a form as the object that the API takes. */
export function bodyOf(form) {
  const body = {};
  const put = (name, value) => {
    const [outer, inner] = name.split(".");
    if (inner === undefined) body[outer] = value;
    else (body[outer] ??= {})[inner] = value;
  };
  for (const input of form.elements) {
    if (!input.name || input.disabled) continue;
    const kind = input.dataset.as;
    if (kind === "list") {
      body[input.name] ??= [];
      if (input.checked) body[input.name].push(input.value);
    } else if (kind === "flag") put(input.name, input.checked);
    else if (input.type === "radio" && !input.checked) continue;
    else if (input.value === "") {
      if (input.dataset.empty === "null") put(input.name, null);
    } else if (kind === "int") put(input.name, Number(input.value));
    else if (kind === "moment") put(input.name, new Date(input.value).toISOString());
    else put(input.name, input.value);
  }
  return body;
}

async function submitted(event) {
  const form = event.target.closest("form[data-act]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy) return; // the second click of two
  const button = event.submitter ?? form.querySelector("button");
  const alert = form.querySelector('[role="alert"]');
  form.dataset.busy = "yes";
  button?.setAttribute("aria-disabled", "true");
  if (alert) alert.textContent = "";
  try {
    const body = form.elements.length && form.dataset.body !== "none" ? bodyOf(form) : undefined;
    const empty = body !== undefined && Object.keys(body).length === 0;
    const told = await send(form.dataset.act, empty ? undefined : body);
    if (form.dispatchEvent(new CustomEvent("acted", { bubbles: true, cancelable: true, detail: told }))) {
      if (form.dataset.then) location.assign(form.dataset.then);
      else again(form);
      return; // busy until the next page is there
    }
  } catch (problem) {
    tell(form, problem);
  }
  delete form.dataset.busy;
  button?.removeAttribute("aria-disabled");
}

/** Have this page anew; whoever acted by keyboard or reader goes on where the act was. */
function again(form) {
  const card = form.parentElement.closest(".card[id]");
  remember(JSON.stringify([location.pathname, card?.id ?? ""]));
  location.reload();
}

/** Keep a word for the next page of this tab and return the last; a browser may keep nothing. */
function remember(word) {
  try {
    const last = sessionStorage.getItem("acted");
    if (word === null) sessionStorage.removeItem("acted");
    else sessionStorage.setItem("acted", word);
    return last;
  } catch {
    return null;
  }
}

/** After an act that had the page anew: the focus goes to its card, or to what the page is about. */
function comeBack() {
  const [path, id] = JSON.parse(remember(null) ?? "[]");
  if (path !== location.pathname) return;
  const card = id === "" ? null : document.getElementById(id);
  const heading = card?.querySelector("h2:not(.hidden), h3") ?? document.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function clicked(event) {
  const opens = event.target.closest("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens).showModal();
  const closes = event.target.closest("[data-closes]");
  if (closes) closes.closest("dialog").close();
}

addEventListener("submit", submitted);
addEventListener("click", clicked);
// A page from the browser's own memory may be of a session that has ended.
addEventListener("pageshow", (event) => event.persisted && location.reload());
comeBack();
document.documentElement.dataset.ready = "yes";
