// Acceptance, status and proofs (sections 7 and 8, RFC 9449), from the protocol's text alone.
import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { bytes, checked, fits, parts, read, refuse, thumbprint, usable } from "./documents.mjs";
import { keysOf } from "./region.mjs";
import { bandOf, limitOf, needed } from "./scheme.mjs";

/** What an accepted grant opens; `given` is as `grants.json` gives it. */
export async function accept(given) {
  const { now, attempt } = given;
  if (!attempt || attempt.browser !== given.browser || !attempt.returned || attempt.presented) refuse("attempt");
  const cities = new Map(given.cities.map((entry) => [entry.code, entry]));
  const own = [...cities.values()].find((entry) => entry.issuer === given.issuer);
  const open = now < given.trust_until ? opened(given, cities, own) : null;
  if (!open) refuse("agreement");
  const home = cities.get(attempt.home);
  if (given.proof_jkt === null) refuse("proof");
  if (given.proof_jkt !== attempt.jkt) refuse("binding");
  const grant = await read(given.assertion, "grant", now, keysOf(cities, "grant"));
  if (grant.iss !== home.issuer) refuse("issuer");
  if (grant.aud !== given.issuer) refuse("audience");
  if (grant.client_id !== given.client) refuse("client");
  if (grant.cnf.jkt !== given.proof_jkt) refuse("binding");
  const said = grant.recognition;
  const follows = placed(said, given, home, own, open, attempt);
  if (given.accepted.some(([iss, jti]) => iss === grant.iss && jti === grant.jti)) refuse("replay");
  if (given.last_iat !== null && grant.iat < given.last_iat) refuse("older");
  stands(grant, home, given);
  return follows;
}

function opened(given, cities, own) {
  const home = cities.get(given.attempt.home);
  const pair = home && [home.code, own.code].sort();
  const found = pair && given.agreements.find((each) => String(each.cities) === String(pair));
  if (!found) return null;
  const both = (name) => [home, own].every((entry) => entry.scenarios.includes(name));
  const knows = (entry) => entry.schemes.some((each) => each.id === found.scheme.id && each.version === found.scheme.version);
  const scenarios = found.scenarios.filter(both);
  return scenarios.length && knows(home) && knows(own) ? { scenarios, scheme: found.scheme } : null;
}

function placed(said, { scheme }, home, own, open, attempt) {
  if (said.scheme !== open.scheme.id || said.scheme_version !== open.scheme.version) refuse("scheme");
  if (!scheme || scheme.id !== said.scheme || scheme.version !== said.scheme_version) refuse("scheme");
  const { scenarios, tier } = said;
  if (new Set(scenarios).size !== scenarios.length) refuse("scenario");
  if (!scenarios.every((name) => open.scenarios.includes(name) && attempt.scenarios.includes(name))) refuse("scenario");
  if (!(home.code in scheme.cities) || !suffices(scheme, tier, scenarios)) refuse("tier");
  const fen = scenarios.map((name) => [name, limitOf(scheme, name, tier)]);
  const limits = Object.fromEntries(fen.filter(([, limit]) => limit !== null));
  return { home: home.code, tier, band: bandOf(scheme, own.code, tier), scenarios, limits };
}

const suffices = ({ tiers, ...scheme }, tier, scenarios) =>
  tiers.indexOf(tier) >= tiers.indexOf(needed({ tiers, ...scheme }, scenarios));

function stands(grant, home, { status, now }) {
  const { idx, uri } = grant.status.status_list;
  if (!uri.startsWith(`${home.issuer}/`)) refuse("status");
  if (!status || status.uri !== uri || now >= Math.min(status.iat, status.fetch_began) + 40) refuse("stale");
  if (idx >= status.entries || status.ones.includes(idx)) refuse("status");
}

/** The bits of a good status list, and until when its issuer is fresh. */
export async function statusList(compact, { issuer, address, keyOf, now, began, seen }) {
  const list = await read(compact, "status", now, (claims, kid) =>
    claims.iss === issuer ? keyOf(claims, kid) : refuse("issuer"),
  );
  if (list.sub !== address) refuse("audience");
  if (seen !== null && list.iat < seen) refuse("older");
  return { bits: inflated(list.status_list.lst), iat: list.iat, until: Math.min(list.exp, list.iat + 40, began + 40) };
}

function inflated(lst) {
  const packed = bytes(lst);
  try {
    const { buffer, engine } = inflateSync(packed, { maxOutputLength: 2 ** 17, info: true });
    return engine.bytesWritten === packed.length ? buffer : refuse("bits");
  } catch {
    return refuse("bits");
  }
}

export const bitOf = (bits, idx) => (idx < bits.length * 8 ? (bits[idx >> 3] >> (idx & 7)) & 1 : refuse("index"));

/** The key that a request's DPoP fields prove; `given` is as `proofs.json` gives it. */
export async function proven(given) {
  if (given.dpop.length !== 1) refuse(given.dpop.length ? "repeated" : "absent");
  const [compact] = given.dpop;
  const [head, claims, signature] = parts(compact);
  if (!fits("proof-header.json", head)) refuse("header");
  if (!fits("proof.json", claims)) refuse("claims");
  if (!(await usable(head.jwk))) refuse("key");
  const jkt = await thumbprint(head.jwk);
  if (claims.htm !== given.method) refuse("method");
  if (address(claims.htu) !== address(given.url)) refuse("url");
  const { access_token: token } = given;
  if (token !== null && claims.ath !== createHash("sha256").update(token).digest("base64url")) refuse("token");
  if (given.jkt !== null && jkt !== given.jkt) refuse("binding");
  timely(claims, given);
  await checked(compact, signature, head.jwk, head.alg);
  if (given.seen.some(([by, jti]) => by === jkt && jti === claims.jti)) refuse("replayed");
  return { jkt };
}

function timely(claims, { now, nonces, nonce_wanted: wanted }) {
  if ((claims.exp ?? Infinity) <= now || (claims.nbf ?? 0) > now + 10) refuse("lifetime");
  if (claims.nonce != null ? !nonces.includes(claims.nonce) : wanted) refuse("nonce");
  if (claims.nonce == null && claims.iat < now - 60) refuse("expired");
  if (claims.nonce == null && claims.iat > now + 10) refuse("not-yet");
}

/** An address in its one spelling, without query and fragment. */
function address(text) {
  if (!URL.canParse(text)) return refuse("url");
  const url = new URL(text);
  if (url.username || url.password) refuse("url");
  const path = url.pathname.replace(/%[0-9A-Fa-f]{2}/g, (code) => {
    const letter = String.fromCharCode(parseInt(code.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(letter) ? letter : code.toUpperCase();
  });
  return url.origin + path;
}
