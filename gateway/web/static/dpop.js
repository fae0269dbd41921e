// A request that shows that this browser holds the key which it names (RFC 9449).

import { base64url } from "./device.js";
import { bytes, compact } from "./jws.js";

/**
 * Post nothing but a proof, and once more with the nonce where the server asks for one.
 * @param {string} path where it goes, on this origin
 * @param {{privateKey: CryptoKey, jwk: object}} key
 * @param {{url: string, now: () => number, token?: string}} about the address that is proven for,
 *   the time in seconds, and the access token where there is one
 */
export async function postProven(path, key, about) {
  const answer = await once(path, key, about, null);
  const nonce = answer.headers.get("dpop-nonce");
  return answer.ok || nonce === null ? answer : once(path, key, about, nonce);
}

async function once(path, key, about, nonce) {
  const headers = { dpop: await proof(key, about, nonce), accept: "application/json" };
  if (about.token) headers.authorization = `DPoP ${about.token}`;
  return fetch(path, { method: "POST", headers, signal: AbortSignal.timeout(15000) });
}

async function proof(key, { url, now, token }, nonce) {
  const claims = { jti: crypto.randomUUID(), htm: "POST", htu: url, iat: now() };
  if (nonce !== null) claims.nonce = nonce;
  if (token) claims.ath = base64url(await crypto.subtle.digest("SHA-256", bytes(token)));
  return compact({ typ: "dpop+jwt", alg: "ES256", jwk: key.jwk }, claims, key.privateKey);
}
