"""`proofs.json`: DPoP proofs (RFC 9449 4.3)."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.protocol.making.cases import Group
from tests.protocol.making.jws import GONE, N, Pair, b64, dumps, joined, message, signed
from tests.protocol.making.world import ISSUERS, KEYS, NOW, B

BY, OTHER = KEYS["visitor"], KEYS["visitor-2"]
URL = f"{ISSUERS[B]}/oauth/token"
RESOURCE = f"{ISSUERS[B]}/v1/visits/session"
TOKEN = "an-access-token-of-the-vectors"
JTI = "proof-0001"


def ath(token: str) -> str:
    """The hash of an access token."""
    return b64(hashlib.sha256(token.encode()).digest())


def head(by: Pair = BY, /, **changes: Any) -> dict[str, Any]:
    """The honest header, with changes."""
    return {"typ": "dpop+jwt", "alg": by.alg, "jwk": by.required} | changes


def body(**changes: Any) -> dict[str, Any]:
    """The honest payload, with changes."""
    return {"jti": JTI, "htm": "POST", "htu": URL, "iat": NOW - 1} | changes


def proof(by: Pair = BY, /, **changes: Any) -> str:
    """The honest proof, with changes to its payload."""
    return signed(head(by), body(**changes), by)


def headed(**changes: Any) -> str:
    """The honest proof, with changes to its header."""
    return signed(head(BY, **changes), body(), BY)


def make() -> Group:
    """The file."""
    group = Group(
        "RFC 9449 4.3: do the DPoP header fields `dpop` of a request by `method` to `url` prove "
        "the key `jkt` (null: any), at `now`? With an `access_token` where one is shown. "
        "`nonces` are those that this server gave out of late; `seen` are pairs of jkt and jti.",
        {
            "now": NOW,
            "method": "POST",
            "url": URL,
            "access_token": None,
            "jkt": None,
            "dpop": [proof()],
            "nonces": ["nonce-of-this-minute"],
            "nonce_wanted": False,
            "seen": [],
        },
    )
    for part in (_good, _fields, _headers, _signatures, _claims, _times, _tokens, _once):
        part(group)
    return group


def follows(by: Pair = BY) -> dict[str, str]:
    """Whose key it proves."""
    return {"jkt": by.thumbprint}


def _good(group: Group) -> None:
    group.accept("plain", "nothing is wrong", follows())
    ed = KEYS["visitor-ed"]
    group.accept("eddsa", "an Ed25519 key", follows(ed), dpop=[proof(ed)])
    group.accept("bound", "by the key that is wanted", follows(), jkt=BY.thumbprint)
    group.accept("more-members", "further members are ignored", follows(),
                 dpop=[signed(head(BY, tx=1), body(tx=2), BY)])  # fmt: skip
    for name, htu in (
        ("query", URL + "?a=1"),
        ("fragment", URL + "#a"),
        ("port", URL.replace(".example/", ".example:443/")),
        ("upper-host", URL.replace("credit", "CREDIT")),
        ("escaped", URL.replace("token", "%74oken")),
    ):
        group.accept(f"htu-{name}", "another spelling of the address", follows(),
                     dpop=[proof(htu=htu)])  # fmt: skip


def _fields(group: Group) -> None:
    group.refuse("none", "no proof", "absent", dpop=[])
    group.refuse("two", "two header fields", "repeated", dpop=[proof(), proof(jti="proof-0002")])
    joined_by_comma = f"{proof()}, {proof(jti='proof-0002')}"
    group.refuse("two-in-one", "two proofs in one field", "shape", dpop=[joined_by_comma])
    for name, text in (("empty", ""), ("text", "proof"), ("padded", proof() + "=")):
        group.refuse(name, "no compact JWS", "shape", dpop=[text])
    other = proof(OTHER)
    group.refuse("other-key", "by another key", "binding", dpop=[other], jkt=BY.thumbprint)


def _headers(group: Group) -> None:
    for name, changes, reason in (
        ("typ-absent", {"typ": GONE}, "header"),
        ("typ-jwt", {"typ": "JWT"}, "type"),
        ("typ-grant", {"typ": "recognition+jwt"}, "type"),
        ("alg-absent", {"alg": GONE}, "header"),
        ("alg-none", {"alg": "none"}, "algorithm"),
        ("alg-hs256", {"alg": "HS256"}, "algorithm"),
        ("alg-other", {"alg": "EdDSA"}, "algorithm"),
        ("jwk-absent", {"jwk": GONE}, "header"),
        ("jwk-private", {"jwk": BY.secret}, "key"),
        ("jwk-symmetric", {"jwk": {"kty": "oct", "k": "c2VjcmV0"}, "alg": "HS256"}, "key"),
        ("jwk-rsa", {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "alg": "PS256"}, "key"),
        ("jwk-off-curve", {"jwk": BY.required | {"y": "A" * 43}}, "key"),
        ("jwk-text", {"jwk": "key"}, "key"),
        ("kid-alone", {"jwk": GONE, "kid": "visitor"}, "header"),
        ("crit", {"crit": ["exp"]}, "header"),
        ("b64", {"b64": False}, "header"),
        ("jku", {"jku": "https://stranger.example/keys"}, "header"),
        ("x5c", {"x5c": ["MIIB"]}, "header"),
    ):
        group.refuse(name, f"the header: {name}", reason, dpop=[headed(**changes)])


def _signatures(group: Group) -> None:
    text = message(head(), body())
    r, s = BY.scalars(text.encode())
    for name, why, raw in (
        ("zeros", "r = s = 0", joined(0, 0)),
        ("s-is-n", "s is the order of the curve", joined(r, N)),
        ("der", "DER, not r and s", BY.der(text.encode())),
        ("short", "a byte short", joined(r, s)[:63]),
    ):
        group.refuse(f"signature-{name}", why, "signature", dpop=[f"{text}.{b64(raw)}"])
    group.refuse("signature-other", "signed by another key than it brings", "signature",
                 dpop=[signed(head(), body(), OTHER)])  # fmt: skip
    swapped = message(head(), body(jti="proof-0009"))
    group.refuse("signature-moved", "signed was another payload", "signature",
                 dpop=[f"{swapped}.{b64(joined(r, s))}"])  # fmt: skip


def _claims(group: Group) -> None:
    for name in ("jti", "htm", "htu", "iat"):
        group.refuse(
            f"without-{name}", f"{name} is missing", "claims", dpop=[proof(**{name: GONE})]
        )
    group.refuse("jti-short", "a jti of five characters", "claims", dpop=[proof(jti="short")])
    group.refuse("iat-text", "iat is text", "claims", dpop=[proof(iat=str(NOW))])
    group.refuse("iat-fraction", "iat has a fraction", "claims", dpop=[proof(iat=NOW + 0.5)])
    twice = b'{"htm":"GET",' + dumps(body())[1:]
    group.refuse("htm-twice", "htm is said twice", "claims", dpop=[signed(head(), twice, BY)])
    for name, htm in (("get", "GET"), ("lower", "post"), ("empty", "")):
        group.refuse(f"htm-{name}", "another method", "method", dpop=[proof(htm=htm)])
    for name, htu in (
        ("path", URL + "/"),
        ("host", URL.replace("ningbo", "hangzhou")),
        ("http", URL.replace("https", "http")),
        ("other-port", URL.replace(".example/", ".example:8443/")),
        ("upper-path", URL.replace("token", "Token")),
        ("user", URL.replace("https://", "https://user@")),
        ("relative", "/oauth/token"),
    ):
        group.refuse(f"htu-{name}", "another address", "url", dpop=[proof(htu=htu)])


def _times(group: Group) -> None:
    for name, offset in (("60-s-old", -60), ("10-s-ahead", 10)):
        group.accept(f"iat-{name}", "clocks differ", follows(), dpop=[proof(iat=NOW + offset)])
    group.refuse("iat-61-s-old", "too old", "expired", dpop=[proof(iat=NOW - 61)])
    group.refuse("iat-11-s-ahead", "too far ahead", "not-yet", dpop=[proof(iat=NOW + 11)])
    group.refuse("exp-over", "it says that it has ended", "lifetime", dpop=[proof(exp=NOW)])
    good = "nonce-of-this-minute"
    group.accept("nonce", "with a nonce", follows(), dpop=[proof(nonce=good)], nonce_wanted=True)
    group.accept("nonce-and-old", "a nonce stands for the time", follows(),
                 dpop=[proof(nonce=good, iat=NOW - 3600)])  # fmt: skip
    group.refuse("nonce-absent", "a nonce is wanted", "nonce", nonce_wanted=True)
    group.refuse("nonce-other", "a nonce that nobody gave", "nonce", dpop=[proof(nonce="guess")])


def _tokens(group: Group) -> None:
    at = {"url": RESOURCE, "access_token": TOKEN}
    group.accept(
        "ath", "for this token", follows(), dpop=[proof(htu=RESOURCE, ath=ath(TOKEN))], **at
    )
    for name, value in (("absent", GONE), ("other", ath("another")), ("token", TOKEN)):
        group.refuse(f"ath-{name}", "not for this token", "token",
                     dpop=[proof(htu=RESOURCE, ath=value)], **at)  # fmt: skip


def _once(group: Group) -> None:
    group.refuse("replay", "seen before", "replayed", seen=[[BY.thumbprint, JTI]])
    group.accept("same-jti-other-key", "another key has used the jti", follows(),
                 seen=[[OTHER.thumbprint, JTI]])  # fmt: skip
