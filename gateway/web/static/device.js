// This device's own key (电子签名法 13): made here, kept here, never exported.
//
// One database holds one key for each citizen who uses this browser, so that two people who share
// it never sign with each other's. The private key is non-extractable: IndexedDB keeps a handle, and
// no script, ours included, can read its bytes.

const DATABASE = "qianjiang-device";
const STORE = "keys";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };

/** This browser keeps nothing (private window, storage switched off): no key could survive it. */
export class NoStorage extends Error {}

/**
 * The key that this browser holds for a citizen, or null.
 * @returns {Promise<{privateKey: CryptoKey, jwk: object, kid: string} | null>}
 */
export async function heldKey(owner) {
  return (await within("readonly", (store) => store.get(owner))) ?? null;
}

/** The citizen's key in this browser, made if there is none; two tabs at once make one. */
export async function ownKey(owner) {
  const held = await heldKey(owner);
  if (held !== null) return held;
  const made = await generated();
  try {
    await within("readwrite", (store) => store.add(made, owner));
    return made;
  } catch (fault) {
    if (fault?.name !== "ConstraintError") throw fault;
    return heldKey(owner); // another tab was first
  }
}

/** A new key under a name, in place of any before it. */
export async function freshKey(owner) {
  const made = await generated();
  await within("readwrite", (store) => store.put(made, owner));
  return made;
}

/** Forget a key of a citizen by its name; one that has taken its place meanwhile stays. */
export async function forgetKey(owner, kid) {
  await within("readwrite", (store) => {
    const found = store.get(owner);
    found.onsuccess = () => {
      if (found.result?.kid === kid) store.delete(owner);
    };
    return found;
  });
}

/** What kind of device this seems to be; the page has the words for it. */
export function kindOfDevice(agent = navigator.userAgent, touch = navigator.maxTouchPoints) {
  if (/iPhone/.test(agent)) return "iphone";
  if (/iPad/.test(agent) || (/Macintosh/.test(agent) && touch > 1)) return "ipad";
  if (/Android/.test(agent)) return /Mobile/.test(agent) ? "android" : "tablet";
  if (/OpenHarmony|HarmonyOS/.test(agent)) return "harmony";
  if (/Windows/.test(agent)) return "windows";
  if (/Macintosh/.test(agent)) return "mac";
  return /Linux|CrOS/.test(agent) ? "linux" : "other";
}

/** Base64url without padding (RFC 7515 2). */
export function base64url(bytes) {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function generated() {
  if (!globalThis.crypto?.subtle) throw new NoStorage(); // a page without https
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk = { kty, crv, x, y };
  return { privateKey: pair.privateKey, jwk, kid: await thumbprint(jwk) };
}

/** The name of a key (RFC 7638): the required members, in this order, without spaces. */
async function thumbprint({ crv, kty, x, y }) {
  const text = new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }));
  return base64url(await crypto.subtle.digest("SHA-256", text));
}

/** One request in a transaction of its own, answered when the transaction is durable. */
async function within(mode, ask) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new NoStorage());
    });
  } finally {
    database.close();
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    if (!globalThis.indexedDB || !globalThis.crypto?.subtle) throw new NoStorage();
    const request = indexedDB.open(DATABASE, 1); // throws where storage is switched off
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new NoStorage());
    request.onblocked = () => reject(new NoStorage());
  }).catch((fault) => {
    throw fault instanceof NoStorage ? fault : new NoStorage();
  });
}
