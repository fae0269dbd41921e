// A returning person: the document finds a handle where a consent stands, and then one may ask.
import { onDocument } from "./document.js";
import { handOver } from "./hand-over.js";

const form = document.getElementById("search");
const scenario = form.dataset.scenario;

onDocument(form, "/v1/counter/assisted/finds", () => ({}), (found) => {
  handOver(found.person);
  location.assign(`/counter/?scenario=${scenario}`);
});
