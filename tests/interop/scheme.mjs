// Schemes (section 4), written from the protocol's text alone.
import { fits, refuse } from "./documents.mjs";

/** Refuse a document that is no scheme. */
export function checkScheme(scheme) {
  if (!fits("scheme.json", scheme)) refuse("form");
  const { tiers, needs, limits = {}, cities } = scheme;
  const every = (byTier) => Object.keys(byTier).length === tiers.length && tiers.every((tier) => tier in byTier);
  if (new Set(tiers).size !== tiers.length) refuse("meaning");
  if (!Object.values(needs).every(({ tier }) => tiers.includes(tier))) refuse("meaning");
  for (const [scenario, { fen }] of Object.entries(limits)) {
    if (!(scenario in needs) || !every(fen)) refuse("meaning");
    if (tiers.some((tier, n) => n && fen[tiers[n - 1]] > fen[tier])) refuse("meaning");
  }
  for (const { bands } of Object.values(cities)) {
    if (!every(bands) || !tiers.every((tier) => bands[tier][0] < bands[tier][1])) refuse("meaning");
    if (tiers.some((tier, n) => n && bands[tiers[n - 1]][1] !== bands[tier][0])) refuse("meaning");
  }
}

const own = (table, name, otherwise) => (Object.hasOwn(table, name) ? table[name] : refuse(otherwise));

export function tierOf(scheme, city, band) {
  const { bands } = own(scheme.cities, city, "city");
  return scheme.tiers.find((tier) => bands[tier][0] <= band && band < bands[tier][1]) ?? refuse("none");
}

export const bandOf = (scheme, city, tier) => own(own(scheme.cities, city, "city").bands, tier, "tier")[0];

export function needed(scheme, scenarios) {
  const ranks = scenarios.map((name) => scheme.tiers.indexOf(own(scheme.needs, name, "scenario").tier));
  return scheme.tiers[Math.max(...ranks)];
}

export const limitOf = (scheme, scenario, tier) => scheme.limits?.[scenario]?.fen[tier] ?? null;

export const carry = (scheme, band, cities) =>
  cities.slice(1).reduce((at, city, n) => bandOf(scheme, city, tierOf(scheme, cities[n], at)), band);
