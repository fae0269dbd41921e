// Signed documents (section 2 of docs/protocol/recognition.md), written from that text alone.
// Form by the published schemas (ajv), signatures by jose.
import { readFileSync, readdirSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import { calculateJwkThumbprint, compactVerify, importJWK } from "jose";
import { Malformed, parse } from "./json.mjs";

export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export const refuse = (reason) => {
  throw new Refused(reason);
};

const PART = /^[A-Za-z0-9_-]+$/;
const text = new TextDecoder("utf-8", { fatal: true });
const ajv = new Ajv({ strict: false });
ajv.addFormat("date", (day) => new Date(`${day}T00:00:00Z`).toJSON()?.slice(0, 10) === day);

/** Take the schemas of a folder in; on one machine addresses may be plain http. */
export function learn(folder, { loopback = false } = {}) {
  for (const name of readdirSync(folder)) {
    const text = readFileSync(`${folder}/${name}`, "utf8");
    ajv.addSchema(JSON.parse(loopback ? text.replaceAll("^https://", "^https?://") : text));
  }
}

export const fits = (name, value) =>
  ajv.validate(`https://protocol.example/recognition/1/${name}`, value);

/** Bytes of canonical base64url. */
export function bytes(coded) {
  const raw = Buffer.from(coded, "base64url");
  return PART.test(coded) && raw.toString("base64url") === coded ? raw : refuse("shape");
}

function json(raw, otherwise) {
  try {
    return parse(text.decode(raw));
  } catch (fault) {
    if (fault instanceof Malformed || fault instanceof TypeError || fault instanceof SyntaxError) refuse(otherwise);
    throw fault;
  }
}

const RULES = {
  assertion: { types: ["client-authentication+jwt", "JWT"], schema: "client-assertion", life: 300, chars: 8192 },
  grant: { types: ["recognition+jwt"], schema: "grant", life: 60, chars: 8192 },
  status: { types: ["statuslist+jwt"], schema: "status-list", life: 60, chars: 262144 },
  list: { types: ["trust-list+jwt"], schema: "trust-list", life: 60, chars: 4194304 },
  statement: { types: ["recognition-agreement+jws"], schema: "statement", life: null, chars: 8192 },
};

/** What a document of a kind says; `keyOf(claims, kid)` finds who may have signed it. */
export async function read(compact, kind, now, keyOf) {
  const rule = RULES[kind];
  const [head, claims, signature] = parts(compact, rule.chars);
  if (!rule.types.includes(head.typ)) refuse("type");
  if (!fits("header.json", head)) refuse("header");
  if (!fits(`${rule.schema}.json`, claims)) refuse("claims");
  if (rule.life !== null && !(claims.iat < claims.exp && claims.exp <= claims.iat + rule.life)) refuse("lifetime");
  if (rule.life !== null && now >= claims.exp) refuse("expired");
  if (Math.max(claims.iat, claims.nbf ?? 0) > now + 10) refuse("not-yet");
  const jwk = keyOf(claims, head.kid) ?? refuse("key");
  await checked(compact, signature, jwk, head.alg);
  return claims;
}

export function parts(compact, chars = 8192) {
  if (compact.length > chars || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(compact)) refuse("shape");
  const [head, body, signature] = compact.split(".").map(bytes);
  return [json(head, "header"), json(body, "claims"), signature];
}

/** Refuse a signature that is not the key's own; the algorithm is the key's. */
export async function checked(compact, signature, jwk, alg) {
  if (alg !== algOf(jwk)) refuse("algorithm");
  if (signature.length !== 64) refuse("signature");
  try {
    await compactVerify(compact, await importJWK(jwk, algOf(jwk)), { algorithms: [algOf(jwk)] });
  } catch (fault) {
    refuse(fault.code ? "signature" : "key");
  }
}

const algOf = (jwk) => (jwk.kty === "EC" ? "ES256" : "EdDSA");

// Points of small order: under such a key anybody can sign.
const P = 2n ** 255n - 19n;
const Y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const SMALL = [0n, 1n, P - 1n, Y8, P - Y8];

/** Whether a key is one to believe in: as its schema says, and a point of its curve. */
export async function usable(jwk) {
  if (!fits("common.json#/$defs/key", jwk)) return false;
  if (jwk.kty === "OKP") {
    const y = BigInt(`0x${Buffer.from(jwk.x, "base64url").reverse().toString("hex")}`) & (2n ** 255n - 1n);
    if (y >= P || SMALL.includes(y)) return false;
  }
  const named = { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y };
  return importJWK(named, algOf(jwk)).then(() => true, () => false);
}

export const thumbprint = (jwk) => calculateJwkThumbprint(jwk);
