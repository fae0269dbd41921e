// A home city (node:http, jose), from docs/protocol/recognition.md alone. It has one citizen, of the
// highest tier, who is signed in and consents to everything; a word from the test takes it back.
import { createHash, randomInt, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { deflateSync } from "node:zlib";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { Refused, fits, learn, read } from "./documents.mjs";
import { Trust, now } from "./partner.mjs";
import { keysOf } from "./region.mjs";
import { needed } from "./scheme.mjs";
import { hear, say } from "./talk.mjs";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE = "urn:ietf:params:oauth:token-type:";
const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const LIST = "/status-lists/1", ENTRIES = 2 ** 17;

const given = await hear();
learn(given.schemas, { loopback: true });
const keys = {};
for (const purpose of ["client", "grant", "status"]) keys[purpose] = await generateKeyPair("ES256");
const bits = Buffer.alloc(ENTRIES / 8);
const used = new Set(), taken = new Set(), waiting = new Map(), codes = new Map(), tokens = new Map();
const calls = [];
let trust, issuer, scheme;

class Failed extends Error {
  constructor(status, error) {
    super(error);
    Object.assign(this, { status, error });
  }
}

const fail = (error, status = 400) => {
  throw new Failed(status, error);
};

/** Take what is kept under a name, once. */
const once = (map, name) => {
  const found = map.get(name);
  map.delete(name);
  return found && found.until > now() ? found : null;
};

const signed = (purpose, typ, claims) =>
  new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: purpose, typ }).sign(keys[purpose].privateKey);

async function clientOf(form) {
  if (form.client_assertion_type !== ASSERTION) fail("invalid_client", 401);
  try {
    const { usable } = await trust.current();
    const claims = await read(form.client_assertion, "assertion", now(), keysOf(usable, "assertion"));
    const name = `${claims.iss} ${claims.jti}`;
    if (claims.sub !== claims.iss || claims.aud !== issuer || used.has(name)) fail("invalid_client", 401);
    if ((form.client_id ?? claims.iss) !== claims.iss) fail("invalid_client", 401);
    used.add(name);
    const open = await trust.open(claims.iss);
    return open ? { entry: usable.get(claims.iss), open } : fail("unauthorized_client");
  } catch (fault) {
    if (fault instanceof Refused) fail("invalid_client", 401);
    throw fault;
  }
}

async function push(form) {
  const { entry, open } = await clientOf(form);
  if (!fits("par-request.json", form) || !entry.redirect_uris.includes(form.redirect_uri)) fail("invalid_request");
  const scenarios = form.scope.split(" ").map((each) => each.slice("scenario:".length));
  if (!scenarios.every((name) => open.scenarios.includes(name))) fail("invalid_scope");
  const uri = `urn:ietf:params:oauth:request_uri:${randomUUID()}`;
  waiting.set(uri, { ...form, scenarios, until: now() + 90 });
  return [201, { request_uri: uri, expires_in: 90 }];
}

function authorize(query) {
  const request = once(waiting, query.get("request_uri"));
  if (request?.client_id !== query.get("client_id")) fail("invalid_request");
  const code = randomUUID();
  codes.set(code, { ...request, until: now() + 60 });
  const back = new URL(request.redirect_uri);
  back.search = new URLSearchParams({ code, state: request.state, iss: issuer });
  return back.href;
}

async function redeem(form) {
  const { entry } = await clientOf(form);
  const code = once(codes, form.code);
  const challenge = createHash("sha256").update(form.code_verifier ?? "").digest("base64url");
  const same = code?.client_id === entry.code && code.redirect_uri === form.redirect_uri;
  if (!same || code.code_challenge !== challenge) fail("invalid_grant");
  const token = randomUUID();
  tokens.set(token, { ...code, until: now() + 60 });
  return [200, { access_token: token, token_type: "Bearer", expires_in: 60 }];
}

async function exchange(form) {
  const { entry, open } = await clientOf(form);
  if (form.subject_token_type !== `${TYPE}access_token`) fail("invalid_request");
  if (form.audience !== entry.issuer) fail("invalid_target");
  const token = once(tokens, form.subject_token);
  if (token?.client_id !== entry.code) fail("invalid_grant");
  const iat = now();
  const grant = await signed("grant", "recognition+jwt", {
    iss: issuer,
    aud: entry.issuer,
    client_id: entry.code,
    sub: createHash("sha256").update(`the only citizen at ${entry.code}`).digest("base64url"),
    jti: randomUUID(),
    iat,
    exp: iat + 60,
    cnf: { jkt: token.cnf_jkt },
    recognition: {
      scheme: open.scheme.id,
      scheme_version: open.scheme.version,
      tier: needed(scheme, token.scenarios),
      scenarios: token.scenarios,
      as_of: new Date((iat + 8 * 3600) * 1000).toJSON().slice(0, 10),
      consent_id: randomUUID(),
      policy_revision: createHash("sha256").update("one citizen, one rule").digest("hex"),
    },
    status: { status_list: { idx: place(), uri: issuer + LIST } },
  });
  const scope = token.scenarios.map((name) => `scenario:${name}`).join(" ");
  return [200, { access_token: grant, issued_token_type: `${TYPE}jwt`, token_type: "N_A", expires_in: 60, scope }];
}

/** A place in the list that was never used. */
function place() {
  for (;;) {
    const idx = randomInt(ENTRIES);
    if (taken.has(idx)) continue;
    taken.add(idx);
    return idx;
  }
}

const list = (iat) =>
  signed("status", "statuslist+jwt", {
    iss: issuer, sub: issuer + LIST, iat, exp: iat + 60, ttl: 15,
    status_list: { bits: 1, lst: deflateSync(bits).toString("base64url") },
  });

async function formOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    if ((size += chunk.length) > 16384) fail("invalid_request", 413);
    chunks.push(chunk);
  }
  const pairs = [...new URLSearchParams(Buffer.concat(chunks).toString())];
  const form = Object.fromEntries(pairs);
  return Object.keys(form).length === pairs.length ? form : fail("invalid_request");
}

async function answer(request) {
  const { pathname, searchParams } = new URL(request.url, issuer);
  calls.push(`${request.method} ${pathname}`);
  if (request.method === "GET" && pathname === "/oauth/authorize") return [303, "", { location: authorize(searchParams) }];
  if (request.method === "GET" && pathname === LIST) return [200, await list(now()), { "content-type": "application/statuslist+jwt" }];
  if (request.method !== "POST") fail("invalid_request", 404);
  const form = await formOf(request);
  const act = { "/oauth/par": push, "/oauth/token": form.grant_type === EXCHANGE ? exchange : redeem }[pathname];
  const [status, body] = await (act ?? (() => fail("invalid_request", 404)))(form);
  return [status, JSON.stringify(body), { "content-type": "application/json", "cache-control": "no-store" }];
}

const http = createServer(async (request, response) => {
  try {
    const [status, body, headers] = await answer(request);
    response.writeHead(status, headers).end(body);
  } catch (fault) {
    const status = fault.status ?? 500;
    if (status === 500) process.stderr.write(`${fault.stack}\n`);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error: fault.error ?? "server_error" }));
  }
});
await new Promise((listening) => http.listen(0, given.host, listening));
issuer = `http://${given.host}:${http.address().port}`;
const published = [];
for (const [purpose, pair] of Object.entries(keys)) {
  published.push({ purpose, jwk: { ...(await exportJWK(pair.publicKey)), kid: purpose } });
}
say({ issuer, keys: published });

for (let word = await hear(); word !== null; word = await hear()) {
  if (word.trust) trust = new Trust({ ...word.trust, code: given.code });
  if (word.trust) ({ scheme } = word.trust);
  if (word.withdraw) for (const idx of taken) bits[idx >> 3] |= 1 << (idx & 7);
  say({ grants: taken.size, calls: calls.splice(0) });
}
http.close();
