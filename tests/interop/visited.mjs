// A visited city (oauth4webapi, jose), from docs/protocol/recognition.md alone. It takes a visitor to
// a home city, gets the grant, and accepts it or not by section 7.
import * as oauth from "oauth4webapi";
import { SignJWT, decodeJwt, exportJWK, generateKeyPair, importJWK } from "jose";
import { accept, bitOf, proven, statusList } from "./acceptance.mjs";
import { learn, thumbprint } from "./documents.mjs";
import { Trust, now } from "./partner.mjs";
import { keysOf } from "./region.mjs";
import { hear, say } from "./talk.mjs";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE = "urn:ietf:params:oauth:token-type:";

const given = await hear();
learn(given.schemas, { loopback: true });
const trust = new Trust(given);
const home = (await trust.current()).usable.get(given.home);
const open = await trust.open(given.home);
const plain = { [oauth.allowInsecureRequests]: true };
const server = {
  issuer: home.issuer,
  authorization_endpoint: home.endpoints.authorize,
  pushed_authorization_request_endpoint: home.endpoints.par,
  token_endpoint: home.endpoints.token,
  authorization_response_iss_parameter_supported: true,
};
const client = { client_id: given.code };
const { kid, ...jwk } = given.client;
const key = { key: await importJWK(jwk, "ES256"), kid };
const proves = oauth.PrivateKeyJwt(key, {
  [oauth.modifyAssertion]: (header) => void (header.typ = "client-authentication+jwt"),
});

// 1: the visitor's key, and an attempt.
const visitor = await generateKeyPair("ES256");
const jkt = await thumbprint(await exportJWK(visitor.publicKey));
const state = oauth.generateRandomState(), verifier = oauth.generateRandomCodeVerifier();

// 2: push.
const request = new URLSearchParams({
  response_type: "code",
  redirect_uri: given.redirect_uri,
  scope: given.scenarios.map((name) => `scenario:${name}`).join(" "),
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  cnf_jkt: jkt,
});
const pushed = await oauth.processPushedAuthorizationResponse(
  server, client, await oauth.pushedAuthorizationRequest(server, client, proves, request, plain),
);
const location = new URL(home.endpoints.authorize);
location.search = new URLSearchParams({ client_id: given.code, request_uri: pushed.request_uri });
say({ location: location.href, open, expires_in: pushed.expires_in });

// 3 and 4: the browser goes there and comes back.
const { returned } = await hear();
const answer = oauth.validateAuthResponse(server, client, new URL(returned), state);

// 5: the code.
const token = await oauth.processAuthorizationCodeResponse(
  server, client,
  await oauth.authorizationCodeGrantRequest(server, client, proves, answer, given.redirect_uri, verifier, plain),
);

// 6: the exchange.
const exchanged = await oauth.processGenericTokenEndpointResponse(
  server, client,
  await oauth.genericTokenEndpointRequest(server, client, proves, EXCHANGE, new URLSearchParams({
    subject_token: token.access_token,
    subject_token_type: `${TYPE}access_token`,
    requested_token_type: `${TYPE}jwt`,
    audience: given.issuer,
  }), plain),
  { recognizedTokenTypes: { n_a: () => {} } },
);

// 7: the browser presents it with a proof, and this city decides.
const url = `${given.issuer}/oauth/token`;
const proof = await new SignJWT({ jti: crypto.randomUUID(), htm: "POST", htu: url })
  .setIssuedAt()
  .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk: await exportJWK(visitor.publicKey) })
  .sign(visitor.privateKey);
const shown = { now: now(), method: "POST", url, access_token: null, jkt, dpop: [proof], nonces: [], nonce_wanted: false, seen: [] };
const { exp, usable } = await trust.current();
const facts = {
  now: now(),
  issuer: given.issuer,
  client: given.code,
  browser: "this",
  attempt: { browser: "this", home: given.home, jkt, scenarios: given.scenarios, returned: true, presented: false },
  cities: [...usable.values()],
  agreements: open ? [{ cities: [given.code, given.home].sort(), ...open }] : [],
  trust_until: exp,
  scheme: given.scheme,
  accepted: [],
  last_iat: null,
};
const grant = exchanged.access_token;
const asked = { ...facts, assertion: grant, proof_jkt: (await proven(shown)).jkt };
const opened = await accept({ ...asked, status: await read(decodeJwt(grant).status.status_list) });
say({ opened, exchanged, token, claims: decodeJwt(grant) });

// 8: from then on, whether it still stands.
while ((await hear()) !== null) say({ bit: (await read(decodeJwt(grant).status.status_list)).ones.length });

/** The list that a grant names, as far as this grant's bit is concerned. */
async function read({ uri, idx }) {
  const began = now();
  const fetched = await fetch(uri, { redirect: "error", signal: AbortSignal.timeout(3000) });
  const keyOf = keysOf(usable, "status");
  const list = await statusList(await fetched.text(), { issuer: home.issuer, address: uri, keyOf, now: now(), began, seen: null });
  const ones = bitOf(list.bits, idx) ? [idx] : [];
  return { uri, iat: list.iat, fetch_began: began, entries: list.bits.length * 8, ones };
}
