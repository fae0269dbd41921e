// A commitment's signature: what is seen is what is signed.
//
// The claims are the draft's, the text is the one that stands on the page. Its hash is made here,
// from what is shown, and nothing is signed under another one.

import { bytes, compact } from "./jws.js";

/** The members of a draft that are signed, `party` only where one is named. */
const CLAIMS = [
  ...["template", "template_version", "text_sha256", "scenario", "party", "subject"],
  ...["nonce", "iat", "exp"],
];

/** The text on the page is not the one that the draft is for. */
export class OtherText extends Error {}

/** SHA-256 over the version, a line feed and the Chinese text, in hex (scenarios/manifest.py). */
export async function textHash(version, zh) {
  const hashed = await crypto.subtle.digest("SHA-256", bytes(`${version}\n${zh}`));
  return Array.from(new Uint8Array(hashed), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The compact JWS of a draft (RFC 7515), by this device's key.
 * @param {object} draft as the API gave it
 * @param {string} shown the Chinese text as it stands on the page
 * @param {{privateKey: CryptoKey, kid: string}} key
 * @throws {OtherText} nothing was signed
 */
export async function signedDraft(draft, shown, key) {
  if ((await textHash(draft.template_version, shown)) !== draft.text_sha256) throw new OtherText();
  const claims = {};
  for (const name of CLAIMS) if (draft[name] !== null) claims[name] = draft[name];
  const head = { alg: "ES256", kid: key.kid, typ: "qjf-commitment+jws" };
  return compact(head, claims, key.privateKey);
}
