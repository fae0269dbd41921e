// What a city of either part needs: the trust list, fetched when it is due, and what it opens.
import { agreement, trustList } from "./region.mjs";

export const now = () => Math.floor(Date.now() / 1000);

export class Trust {
  #kept = null;
  #due = 0;

  constructor({ region, list, code }) {
    Object.assign(this, { region, list, code });
  }

  /** The list, never older than its `ttl`. */
  async current() {
    if (now() >= this.#due) {
      const began = now();
      const answer = await fetch(this.list, { redirect: "error", signal: AbortSignal.timeout(2000) });
      const with_ = { region: this.region, address: this.list, now: now(), began, kept: this.#kept };
      this.#kept = await trustList(await answer.text(), with_);
      this.#due = now() + this.#kept.ttl;
    }
    return this.#kept;
  }

  /** What is open between this city and another: scenarios and scheme, or null. */
  async open(other) {
    const { agreements, usable: cities } = await this.current();
    const pair = [this.code, other].sort();
    if (!pair.every((code) => cities.has(code))) return null;
    const found = [];
    for (const { id, statements } of agreements) {
      const made = await agreement(id, statements, { cities, region: this.region.iss, now: now() });
      if (made.state === "in_force" && String(made.terms.cities) === String(pair)) found.push({ id, ...made.terms });
    }
    found.sort((a, b) => (a.from + a.id < b.from + b.id ? 1 : -1));
    return found.length ? this.#shared(found[0], pair.map((code) => cities.get(code))) : null;
  }

  #shared({ scenarios, scheme }, entries) {
    const shared = scenarios.filter((name) => entries.every((entry) => entry.scenarios.includes(name)));
    const known = entries.every(({ schemes }) => schemes.some((s) => s.id === scheme.id && s.version === scheme.version));
    return shared.length && known ? { scenarios: shared, scheme } : null;
  }
}
