// Which of my devices is this one? Only the device itself knows: it holds the key.

import { forgetKey, heldKey } from "./device.js";

const { owner } = document.getElementById("devices").dataset;

// Without storage there is no key here, so none of them is this one.
const held = await heldKey(owner).catch(() => null);
const card = held && document.querySelector(`[data-kid="${CSS.escape(held.kid)}"]`);
if (card?.dataset.live) card.querySelector(".this").hidden = false;
else if (card) await forgetKey(owner, held.kid); // stopped elsewhere: it can sign nothing any more
