// Judges the published vectors by an implementation that is written from the protocol's text alone.
import { readFileSync } from "node:fs";
import { accept, bitOf, proven, statusList } from "./acceptance.mjs";
import { Refused, learn, read, refuse } from "./documents.mjs";
import { agreement, keysOf, trustList } from "./region.mjs";
import { bandOf, carry, checkScheme, limitOf, needed, tierOf } from "./scheme.mjs";

const byCode = (entries) => new Map(entries.map((entry) => [entry.code, entry]));

async function assertion(given) {
  const keyOf = keysOf(byCode(given.cities), "assertion");
  const { iss, sub, aud, jti } = await read(given.assertion, "assertion", given.now, keyOf);
  if (sub !== iss) refuse("issuer");
  if (aud !== given.issuer) refuse("audience");
  if (given.seen.some(([by, id]) => by === iss && id === jti)) refuse("replay");
  return { client: iss };
}

async function list(given) {
  const with_ = { region: given.region, address: given.address, now: given.now, began: given.fetch_began };
  const kept = given.seen && (await trustList(given.seen, { ...with_, kept: null }));
  const { serial, until, usable } = await trustList(given.document, { ...with_, kept });
  return { serial, until, cities: [...usable.keys()].sort() };
}

async function agreed(given) {
  const { state, terms } = await agreement(given.agreement, given.statements, {
    cities: byCode(given.cities), region: given.region, now: given.now,
  });
  if (state !== "in_force") refuse(state);
  return { cities: terms.cities, scenarios: terms.scenarios, scheme: terms.scheme };
}

function scheme(given) {
  const { scheme: table, ask, city, band, tier } = given;
  checkScheme(table);
  if (ask === "document") return {};
  if (ask === "tier") return { tier: tierOf(table, city, band) };
  if (ask === "band") return { band: bandOf(table, city, tier) };
  if (ask === "needed") return { tier: needed(table, given.scenarios) };
  if (ask === "limit") return { limit: limitOf(table, given.scenario, tier) };
  return { band: carry(table, band, given.cities) };
}

async function status(given) {
  const { issuer, address, now, fetch_began: began, seen_iat: seen } = given;
  const keyOf = (_, kid) => given.keys.find((key) => key.kid === kid);
  const { bits, until } = await statusList(given.document, { issuer, address, keyOf, now, began, seen });
  return { bit: bitOf(bits, given.idx), fresh_until: until };
}

const JUDGES = {
  "agreements.json": agreed,
  "assertions.json": assertion,
  "grants.json": accept,
  "proofs.json": proven,
  "schemes.json": scheme,
  "status-lists.json": status,
  "trust-lists.json": list,
};

async function verdict(judge, given) {
  try {
    return { accept: await judge(given) };
  } catch (fault) {
    if (fault instanceof Refused) return { refuse: fault.reason };
    throw fault;
  }
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { schemas, vectors } = JSON.parse(Buffer.concat(chunks));
learn(schemas);
const told = {};
for (const [name, judge] of Object.entries(JUDGES)) {
  const { given, cases } = JSON.parse(readFileSync(`${vectors}/${name}`));
  told[name] = {};
  for (const each of cases) told[name][each.id] = await verdict(judge, { ...given, ...each.given });
}
process.stdout.write(JSON.stringify(told));
