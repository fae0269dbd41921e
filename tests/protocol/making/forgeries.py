"""One fault of form each, in a signed document that is good otherwise (RFC 7515, RFC 8725)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.protocol.making.jws import (
    GONE,
    N,
    Pair,
    b64,
    dumps,
    header,
    hmac_signed,
    joined,
    message,
    signed,
)
from tests.protocol.making.world import KEYS

#: id, why, reason, document
Forged = Iterator[tuple[str, str, str, str]]


class Honest(NamedTuple):
    """A good document, and the key that made it."""

    typ: str
    body: dict[str, Any]
    key: Pair

    def by(self, **changes: Any) -> str:
        """The document with another header, over which the signature is good."""
        return signed(header(self.typ, self.key, **changes), self.body, self.key)

    @property
    def text(self) -> str:
        """What is signed."""
        return message(header(self.typ, self.key), self.body)

    @property
    def document(self) -> str:
        return signed(header(self.typ, self.key), self.body, self.key)


def forgeries(honest: Honest) -> Forged:
    """The rows A1 to A10 of the catalogue."""
    for family in (_algorithms, _signatures, _kids, _headers, _spellings):
        yield from family(honest)


def _algorithms(honest: Honest) -> Forged:
    for alg in ("none", "nOnE", GONE):
        text = message(header(honest.typ, honest.key, alg=alg), honest.body)
        name = "absent" if alg is GONE else alg
        yield f"alg-{name}-unsigned", "A1: no signature, and alg says so", "shape", f"{text}."
    yield (
        "alg-none-signed",
        "A1: alg none over a good signature",
        "algorithm",
        honest.by(alg="none"),
    )
    yield "alg-absent-signed", "A1: alg is missing", "header", honest.by(alg=GONE)
    head = header(honest.typ, honest.key, alg="HS256")
    for name, secret in _public_texts(honest.key).items():
        forged = hmac_signed(head, honest.body, secret)
        yield f"hmac-{name}", f"A2: HS256 keyed with the public key, {name}", "algorithm", forged
    yield "alg-other", "A3: ES256's key, and alg says EdDSA", "algorithm", honest.by(alg="EdDSA")
    yield "alg-es384", "A3: an algorithm that nobody has", "algorithm", honest.by(alg="ES384")


def _public_texts(key: Pair) -> dict[str, bytes]:
    public = key.private.public_key()
    return {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "jwk": dumps(key.jwk),
    }


def _signatures(honest: Honest) -> Forged:
    text = honest.text
    r, s = honest.key.scalars(text.encode())
    odd = {
        "der": ("A4: DER, not r and s", honest.key.der(text.encode())),
        "zeros": ("A5: r = s = 0", joined(0, 0)),
        "r-is-n": ("A5: r is the order of the curve", joined(N, s)),
        "s-is-n": ("A5: s is the order of the curve", joined(r, N)),
        "63-bytes": ("A5: a byte short", joined(r, s)[:63]),
        "65-bytes": ("A5: a byte long", joined(r, s) + b"\0"),
    }
    for name, (why, raw) in odd.items():
        yield f"signature-{name}", why, "signature", f"{text}.{b64(raw)}"
    head, body = text.split(".")
    moved = f"{head[:-4]}.{head[-4:]}{body}.{b64(joined(r, s))}"
    yield "signature-other-split", "A6: four characters moved to the next part", "header", moved
    other = b64(dumps(honest.body | {"iat": honest.body["iat"] + 1}))
    swapped = f"{head}.{other}.{b64(joined(r, s))}"
    yield "signature-other-payload", "signed was another payload", "signature", swapped
    by = signed(header(honest.typ, honest.key), honest.body, KEYS["stranger"])
    yield "signature-stranger", "a stranger's key under the kid", "signature", by


def _kids(honest: Honest) -> Forged:
    label = honest.key.label
    for name, kid, reason in (
        ("unknown", "nobody", "key"),
        ("path", "../../dev/null", "key"),
        ("longer", label + "/", "key"),
        ("nul", label + "\0", "header"),
        ("huge", "k" * 5000, "header"),
        ("array", [label], "header"),
        ("number", 1, "header"),
        ("absent", GONE, "header"),
    ):
        yield f"kid-{name}", f"A7: kid is {name}", reason, honest.by(kid=kid)


def _headers(honest: Honest) -> Forged:
    stranger = KEYS["stranger"]
    extra: dict[str, Any] = {
        "jku": "https://stranger.example/keys",
        "x5u": "https://stranger.example/chain",
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
        "cty": "JWT",
    }
    for name, value in extra.items():
        forged = honest.by(**{name: value})
        yield f"header-{name}", f"A8, A9: the header has {name}", "header", forged
    head = header(honest.typ, honest.key, jwk=stranger.jwk)
    brought = signed(head, honest.body, stranger)
    yield "header-jwk", "A8: it brings the key that signed it", "header", brought
    for name, typ in (("upper", honest.typ.upper()), ("media", f"application/{honest.typ}")):
        yield f"typ-{name}", f"A14: typ is {typ}", "type", honest.by(typ=typ)
    yield "typ-absent", "A14: typ is missing", "type", honest.by(typ=GONE)
    twice = dumps(header(honest.typ, honest.key))[:-1] + f',"typ":"{honest.typ}"}}'.encode()
    doubled = signed(twice, honest.body, honest.key)
    yield "header-twice", "A10: the header has a member twice", "header", doubled


def _spellings(honest: Honest) -> Forged:
    head, body, signature = honest.document.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    for name, why, forged in (
        ("padded", "padding", f"{head}.{body}.{signature}="),
        ("stray-bits", "bits after the end", f"{head}.{body}.{signature[:-1]}{_next(signature)}"),
        ("newline", "a newline at the end", f"{head}.{body}.{signature}\n"),
        ("space", "a space within", f"{head}.{body[:8]} {body[8:]}.{signature}"),
        ("alphabet", "the other alphabet", f"{head}.{body}.{base64.b64encode(raw).decode()}"),
        ("five-parts", "five parts, as JWE has", f"{head}.{body}.{signature}.{body}.{signature}"),
        ("two-parts", "two parts", f"{head}.{body}"),
        ("empty", "nothing at all", ""),
        ("json", "A9: the JSON serialisation", json.dumps(
            {"protected": head, "payload": body, "signature": signature})),
    ):  # fmt: skip
        yield f"spelling-{name}", f"A10: {why}", "shape", forged
    nested = signed(header(honest.typ, honest.key), honest.document.encode(), honest.key)
    yield "nested", "A9: the payload is a JWS", "claims", nested
    first = dumps({"iat": honest.body["iat"]})[:-1] + b","
    twice = signed(header(honest.typ, honest.key), first + dumps(honest.body)[1:], honest.key)
    yield "member-twice", "A10: the payload has a member twice", "claims", twice
    deep = dumps(honest.body)[:-1] + b',"x":' + b"[" * 1000 + b"]" * 1000 + b"}"
    nest = signed(header(honest.typ, honest.key), deep, honest.key)
    yield "deep", "A17: a thousand arrays deep", "claims", nest
    long = signed(header(honest.typ, honest.key), honest.body | {"x": "x" * 8192}, honest.key)
    yield "long", "A17: longer than 8,192 characters", "shape", long


def _next(signature: str) -> str:
    """The letter whose six bits differ only in the two that a 64-byte signature leaves over."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(signature[-1]) ^ 1]
