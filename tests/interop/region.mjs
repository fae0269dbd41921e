// The trust list and its agreements (section 3), written from the protocol's text alone.
import { Refused, fits, read, refuse, thumbprint, usable } from "./documents.mjs";

const PURPOSES = { assertion: "client", grant: "grant", status: "status" };

/** A good list: its cities by code, its agreements by id. `kept` is the one before, or null. */
export async function trustList(compact, { region, address, now, began, kept }) {
  const list = await read(compact, "list", now, (claims, kid) =>
    claims.iss === region.iss ? region.keys.find((key) => key.kid === kid) : refuse("issuer"),
  );
  if (list.sub !== address) refuse("audience");
  if (kept) {
    const same = JSON.stringify([list.cities, list.agreements]) === JSON.stringify([kept.cities, kept.agreements]);
    if (list.serial < kept.serial || (list.serial === kept.serial && !same) || list.iat < kept.iat) refuse("serial");
  }
  const until = Math.min(list.exp, list.iat + 50, began + 50);
  return { ...list, until, usable: await alone(list.cities) };
}

/** The entries that hold by themselves and share nothing with another. */
async function alone(entries) {
  const codes = new Map(), issuers = new Map(), prints = new Map();
  const count = (map, name) => map.set(name, (map.get(name) ?? 0) + 1);
  const read = [];
  for (const entry of entries) {
    const jwks = [...(entry?.keys ?? []), ...(entry?.operators ?? [])].map((each) => each?.jwk).filter(Boolean);
    const good = [];
    for (const jwk of jwks) if (await usable(jwk)) good.push(await thumbprint(jwk));
    count(codes, entry?.code);
    count(issuers, entry?.issuer);
    good.forEach((print) => count(prints, print));
    read.push({ entry, good, whole: good.length === jwks.length });
  }
  const cities = new Map();
  for (const { entry, good, whole } of read) {
    const shares = codes.get(entry?.code) > 1 || issuers.get(entry?.issuer) > 1 || good.some((p) => prints.get(p) > 1);
    if (whole && !shares && holds(entry)) cities.set(entry.code, entry);
  }
  return cities;
}

function holds(entry) {
  if (!fits("entry.json", entry)) return false;
  const addresses = [...Object.values(entry.endpoints), ...entry.redirect_uris];
  if (!addresses.every((address) => address.startsWith(`${entry.issuer}/`))) return false;
  const kids = entry.keys.map((key) => `${key.purpose} ${key.jwk.kid}`);
  const operators = entry.operators.map((operator) => operator.jwk.kid);
  return new Set(kids).size === kids.length && new Set(operators).size === operators.length;
}

/** Finds the key of a city for a kind of document: by issuer, and by code for an assertion. */
export const keysOf = (cities, kind) => (claims, kid) => {
  const city = [...cities.values()].find((entry) => (kind === "assertion" ? entry.code : entry.issuer) === claims.iss);
  if (!city && kind !== "assertion") refuse("issuer");
  return city?.keys.find((key) => key.purpose === PURPOSES[kind] && key.jwk.kid === kid)?.jwk;
};

/** Where an agreement stands at `now`, and its terms. */
export async function agreement(id, texts, { cities, region, now }) {
  const said = [];
  for (const text of texts) {
    const statement = await heard(text, id, { cities, region, now });
    if (statement) said.push(statement);
  }
  const signed = new Map();
  for (const each of said.filter(({ act }) => act === "sign")) {
    const key = JSON.stringify([each.cities, [...new Set(each.scenarios)].sort(), each.scheme.id, each.scheme.version, each.from, each.to]);
    signed.set(key, [...(signed.get(key) ?? []), each]);
  }
  const made = [...signed.values()].filter(([first, ...more]) =>
    first.cities.every((code) => operators([first, ...more].filter((each) => each.city === code)) >= 2),
  );
  if (made.length !== 1) return { state: made.length ? "disputed" : "proposed" };
  const [{ cities: pair, scenarios, scheme, from, to }] = made[0];
  const terms = { cities: pair, scenarios: [...new Set(scenarios)].sort(), scheme, from, to };
  return { state: stateOf(terms, said, now), terms };
}

const operators = (said) => new Set(said.map((each) => each.operator)).size;

async function heard(text, id, { cities, region, now }) {
  let operator, city;
  try {
    const claims = await read(text, "statement", now, ({ iss }, kid) => {
      city = [...cities.values()].find((entry) => entry.issuer === iss);
      operator = city?.operators.find((each) => each.jwk.kid === kid);
      return operator?.jwk;
    });
    const [low, high] = claims.cities;
    const counts = claims.aud === region && claims.agreement === id && low < high && claims.cities.includes(city.code);
    if (!counts || (claims.act === "sign" && !(claims.from < claims.to))) return null;
    return { ...claims, city: city.code, operator: operator.name };
  } catch (fault) {
    if (fault instanceof Refused) return null;
    throw fault;
  }
}

function stateOf({ cities, from, to }, said, now) {
  const own = cities.map((code) => said.filter((each) => each.city === code && String(each.cities) === String(cities)));
  if (own.some((mine) => operators(mine.filter(({ act }) => act === "end")) >= 2)) return "ended";
  const today = new Date((now + 8 * 3600) * 1000).toJSON().slice(0, 10); // Asia/Shanghai has no summer time
  if (today >= to) return "expired";
  if (own.some(suspended)) return "suspended";
  return from <= today ? "in_force" : "coming";
}

function suspended(mine) {
  const moves = mine.filter(({ act }) => act === "suspend" || act === "resume");
  moves.sort((a, b) => a.iat - b.iat || (a.act === "suspend") - (b.act === "suspend"));
  let is = false, since = -1, voices = new Set();
  for (const { act, iat, operator } of moves) {
    if (act !== (is ? "resume" : "suspend")) voices.delete(operator);
    else if (!is || iat > since) voices.add(operator);
    if (voices.size < 2) continue;
    [is, since, voices] = [!is, iat, new Set()];
  }
  return is;
}
