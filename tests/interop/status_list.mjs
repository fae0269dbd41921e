// Reads status lists with @sd-jwt/jwt-status-list, and makes some with it. Signatures by jose.
import { StatusList, createHeaderAndPayload, getListFromStatusListJWT } from "@sd-jwt/jwt-status-list";
import { SignJWT, importJWK, jwtVerify } from "jose";

const parts = [];
for await (const part of process.stdin) parts.push(part);
const given = JSON.parse(Buffer.concat(parts));

async function read({ token, jwk, issuer, uri, now }) {
  const key = await importJWK(jwk, "ES256");
  const { payload, protectedHeader } = await jwtVerify(token, key, {
    algorithms: ["ES256"],
    typ: "statuslist+jwt",
    issuer,
    subject: uri,
    currentDate: new Date(now * 1000),
  });
  const { statusList } = getListFromStatusListJWT(token);
  const set = [];
  for (let at = 0; at < statusList.length; at++) if (statusList[at] === 1) set.push(at);
  return { size: statusList.length, set, kid: protectedHeader.kid, ttl: payload.ttl, exp: payload.exp };
}

async function make({ jwk, kid, issuer, uri, now, size, set }) {
  const list = new StatusList(new Array(size).fill(0), 1);
  for (const at of set) list.setStatus(at, 1);
  const claims = { iss: issuer, sub: uri, iat: now, exp: now + 60, ttl: 15 };
  const { header, payload } = createHeaderAndPayload(list, claims, { alg: "ES256", kid });
  const key = await importJWK(jwk, "ES256");
  return { token: await new SignJWT(payload).setProtectedHeader(header).sign(key) };
}

process.stdout.write(JSON.stringify(given.make ? await make(given.make) : await read(given.read)));
