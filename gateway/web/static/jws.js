// A compact JWS by a key of this browser (RFC 7515, ES256).

import { base64url } from "./device.js";

/** The bytes of a text (UTF-8). */
export function bytes(text) {
  return new TextEncoder().encode(text);
}

/** Header and claims, signed. */
export async function compact(head, claims, privateKey) {
  const message = [head, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
  const how = { name: "ECDSA", hash: "SHA-256" };
  return `${message}.${base64url(await crypto.subtle.sign(how, privateKey, bytes(message)))}`;
}
