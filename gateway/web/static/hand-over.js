// From assisted service to the counter's question: the sealed handle of the person at the desk goes
// over once, and stays nowhere.

/** Leave the handle for the counter's page, which is opened next. */
export function handOver(person) {
  sessionStorage.setItem("person", person);
}

/** The handle that was left, if any. */
export function takeOver() {
  const person = sessionStorage.getItem("person");
  sessionStorage.removeItem("person");
  return person;
}
