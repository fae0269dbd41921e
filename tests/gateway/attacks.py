"""The attack catalogue on signed tokens, as a generator: (attack, forged token) for a kind.

The rows follow RFC 8725 and the public faults of JOSE libraries (CVE-2017-11424,
CVE-2022-21449, CVE-2022-29217, CVE-2024-53861, CVE-2026-32597 among them).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.claims import Kind
from gateway.jwk import Alg, Key, public_jwk
from tests.gateway import forge
from tests.gateway.forge import N, Workshop

Forged = Iterator[tuple[str, str]]


def attacks(kind: Kind, made: Workshop | None = None) -> Forged:
    """Every attack on one kind; each token must be refused.

    `made` forges them of another honest token than the workshop's own.
    """
    shop = made or forge.workshop(kind)
    for family in (_unsigned, _hmac, _algorithms, _signatures, _kids, _headers, _spellings):
        yield from family(shop)
    for claims in (_times, _parties, _payloads):
        yield from claims(shop)


def _unsigned(shop: Workshop) -> Forged:
    body = shop.payload()
    for alg in ("none", "None", "nOnE", "NONE", "", None, ..., ["ES256"], {"a": 1}, True):
        head = shop.header(alg=alg)
        text = forge.message(head, body)
        yield f"A1 alg {alg!r}, no signature", f"{text}."
        yield f"A1 alg {alg!r}, two segments", text
        yield f"A1 alg {alg!r}, a good signature", shop.token(head, body)


def _public_key_texts(shop: Workshop) -> dict[str, bytes]:
    public = shop.private.public_key()
    jwk = public_jwk(Key(shop.kid, Alg.ES256, public))
    return {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json.dumps(jwk).encode(),
        "raw point": public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "x": public.public_numbers().x.to_bytes(32),
        "SSH": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "empty": b"",
    }


def _hmac(shop: Workshop) -> Forged:
    for bits in ("256", "384", "512"):
        head = shop.header(alg=f"HS{bits}")
        for name, secret in _public_key_texts(shop).items():
            forged = forge.hmac_token(head, shop.payload(), secret, f"sha{bits}")
            yield f"A2 HS{bits} keyed with the public key as {name}", forged


def _algorithms(shop: Workshop) -> Forged:
    body = shop.payload()
    for alg in (
        "EdDSA",
        "ES384",
        "ES512",
        "ES256K",
        "RS256",
        "PS256",
        "es256",
        "ES256 ",
        "Ed25519",
    ):
        yield f"A3 alg {alg}", shop.token(shop.header(alg=alg), body)
    yield "A3 ES256 on an Ed25519 key", shop.token(shop.header(kid="ed"), body)
    text = forge.message(shop.header(alg="ES256", kid="ed"), body)
    yield "A3 EdDSA called ES256", f"{text}.{forge.b64(forge.EDWARDS.sign(text.encode()))}"
    text = forge.message(shop.header(alg="EdDSA"), body)
    yield "A3 EdDSA on an ES256 key", f"{text}.{forge.b64(forge.EDWARDS.sign(text.encode()))}"


def _signatures(shop: Workshop) -> Forged:
    text = forge.message(shop.header(), shop.payload())
    r, s = forge.scalars(text, shop.private)
    yield "A4 DER", f"{text}.{forge.b64(encode_dss_signature(r, s))}"
    top = 2**256 - 1
    for x, y in ((0, 0), (0, s), (r, 0), (N, s), (r, N), (N, N), (0, N), (N, 0), (top, s), (r, top),
                 (s, r), (r, s ^ 1), (r ^ 1, s), (1, 1), (N - r, s), (N - r, N - s)):  # fmt: skip
        yield f"A5 r={x % 97} s={y % 97}", f"{text}.{forge.b64(forge.joined(x, y))}"
    whole = forge.joined(r, s)
    for odd in (whole[:63], whole + b"\0", b"\0" + whole, whole[1:], whole * 2, whole[:32], b"\0"):
        yield f"A5 {len(odd)} bytes", f"{text}.{forge.b64(odd)}"
    yield "a stranger's key", shop.token(shop.header(), shop.payload(), forge.STRANGER)
    head, body = text.split(".")
    signature = forge.b64(whole)
    yield "A6 a character moved left", f"{head}{body[0]}.{body[1:]}.{signature}"
    yield "A6 four moved right", f"{head[:-4]}.{head[-4:]}{body}.{signature}"
    yield "another payload", f"{head}.{forge.b64(shop.payload(exp=shop.now_s + 61))}.{signature}"


def _kids(shop: Workshop) -> Forged:
    for kid in ("../../dev/null", "' OR 1=1 --", "key-1\r\nx: y", "key-1\0", "\0", "k" * 5000, "",
                "kеy-1", "KEY-1", " key-1", "key-1 ", "key-1/", "key-2", "key-%31", ["key-1"],
                {"kid": "key-1"}, 1, None, True, ...):  # fmt: skip
        forged = shop.token(shop.header(kid=kid), shop.payload())
        yield f"A7 kid {str(kid)[:20]!r}", forged
    other = shop.token(shop.header(kid="key-2"), shop.payload(), forge.STRANGER)
    yield "A7 another issuer's key and kid", other


def _headers(shop: Workshop) -> Forged:
    jwk = public_jwk(Key(shop.kid, Alg.ES256, forge.STRANGER.public_key()))
    extra: dict[str, Any] = {
        "A8 jku": {"jku": "https://evil.example/jwks"},
        "A8 x5u": {"x5u": "https://evil.example/x"},
        "A8 jwk": {"jwk": jwk},
        "A8 x5c": {"x5c": ["MIIB"]},
        "A9 crit unknown": {"crit": ["x"], "x": 1},
        "A9 crit b64": {"crit": ["b64"], "b64": True},
        "A9 crit empty": {"crit": []},
        "A9 crit registered": {"crit": ["alg"]},
        "A9 b64 false": {"b64": False},
        "A9 zip": {"zip": "DEF"},
        "A9 enc": {"enc": "A256GCM"},
        "A9 cty": {"cty": "JWT"},
        "an unknown member": {"x": "y"},
    }
    for name, members in extra.items():
        for key in (shop.private, forge.STRANGER):
            forged = shop.token(shop.header(**members), shop.payload(), key)
            yield f"{name} ({'own' if key is shop.private else 'brought'} key)", forged
    # An absent typ is an identity provider's habit; nobody else may leave it out.
    for typ in (None, "", "jwt", "JWS", "dpop+jwt", "JWT ", f" {forge.TYPES[shop.kind]}", ["JWT"],
                forge.TYPES[shop.kind].upper() + "X", f"application/{forge.TYPES[shop.kind]}",
                *(() if shop.kind is Kind.ID else (...,))):  # fmt: skip
        yield f"typ {typ!r}", shop.token(shop.header(typ=typ), shop.payload())


def _spellings(shop: Workshop) -> Forged:
    head, body, signature = shop.honest().split(".")
    plain = base64.b64encode(b"\xfb\xff" * 32).decode()
    for name, forged in {
        "=": f"{head}.{body}.{signature}=",
        "= in the header": f"{head}=.{body}.{signature}",
        "a space": f"{head}.{body}.{signature} ",
        "a leading space": f" {head}.{body}.{signature}",
        "a newline": f"{head}.{body}.{signature}\n",
        "a newline within": f"{head}.{body[:4]}\n{body[4:]}.{signature}",
        "a NUL": f"{head}.{body}.{signature}\0",
        "+ and /": f"{head}.{body}.{plain}",
        "stray bits": f"{head}.{body}.{signature[:-1]}{_next(signature[-1])}",
        "four parts": f"{head}.{body}.{signature}.",
        "five parts (JWE)": f"{head}.{body}.{signature}.{body}.{signature}",
        "an empty payload": f"{head}..{signature}",
        "an empty header": f".{body}.{signature}",
        "full-width dots": f"{head}\uff0e{body}\uff0e{signature}",
        "a full-width letter": f"{head}.{body}.{signature[:-1]}\uff21",
        "nothing": "",
        "dots": "..",
        "8 KiB and one": "a" * 8193,
        "a JSON serialisation": json.dumps(
            {"protected": head, "payload": body, "signature": signature}
        ),
        "a nested token": shop.token(shop.header(), shop.honest().encode()),
    }.items():
        yield f"A10 {name}", forged


def _next(letter: str) -> str:
    """The letter whose six bits differ only in the two that a 64-byte signature leaves over."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(letter) ^ 1]


_ODD_TIMES: tuple[Any, ...] = (
    ...,
    None,
    "1790000030",
    1790000030.0,
    -1,
    2**63,
    2**53,
    True,
    [],
    "NaN",
    "",
    1e300,
)


def _times(shop: Workshop) -> Forged:
    endless = shop.kind is Kind.AGREEMENT
    for name in ("iat",) if endless else ("exp", "iat"):
        for odd in _ODD_TIMES:
            yield f"A11 {name} {odd!r}", shop.honest(**{name: odd})
        for raw in (b"NaN", b"1e400", b"Infinity", b"1790000030.5", b"0x10", b"1.79e9"):
            body = shop.payload(**{name: 123456789}).replace(b"123456789", raw)
            yield f"A11 {name} {raw!r}", shop.token(shop.header(), body)
    if endless:
        yield "A11 not yet", shop.honest(iat=shop.now_s + 11)
        yield "A11 exp where there is none", shop.honest(exp=shop.now_s + 60)
        return
    yield "A11 expired", shop.honest(iat=shop.now_s - 60, exp=shop.now_s)
    yield "A11 not yet", shop.honest(iat=shop.now_s + 11, exp=shop.now_s + 60)
    yield "A11 a life of a day", shop.honest(exp=shop.now_s + 86_400)
    yield "A11 no life", shop.honest(iat=shop.now_s + 5, exp=shop.now_s + 5)
    yield "A11 exp before iat", shop.honest(iat=shop.now_s + 9, exp=shop.now_s + 8)
    if shop.kind in (Kind.ASSERTION, Kind.ID):
        yield "A11 nbf ahead", shop.honest(nbf=shop.now_s + 11)
        for odd in _ODD_TIMES[1:]:
            yield f"A11 nbf {odd!r}", shop.honest(nbf=odd)
    else:
        yield "A11 nbf where there is none", shop.honest(nbf=shop.now_s)


def _parties(shop: Workshop) -> Forged:
    if shop.kind is Kind.COMMITMENT:
        for name in ("iss", "aud"):
            yield f"A12 {name} where there is none", shop.honest(**{name: shop.issuer})
        return
    whom, us, them = shop.whom, shop.audience, shop.issuer
    for audience in ([us], [us, "https://evil.example"], us + "/", us[:-1], us + ".evil.example",
                     "https://gateway", "", None, ..., [], 1, us.upper(), f" {us}",
                     us + "/oauth/token"):  # fmt: skip
        yield f"A12 {whom} {audience!r}", shop.honest(**{whom: audience})
    for issuer in (them + "/", them[:-1], them + ".evil.example", [them], them.upper(),
                   them + ":443", "https://pаrty.example", "http://party.example", "", None, ...,
                   f"{them}\0", "https://other.example", f"{them}#", 1):  # fmt: skip
        changes = {"sub": issuer} if shop.kind is Kind.ASSERTION else {}
        if issuer != them:  # a city's code is the same in capitals
            yield f"A13 iss {issuer!r}", shop.honest(iss=issuer, **changes)
    if shop.kind is Kind.ASSERTION:
        yield "A13 sub of another", shop.honest(sub="https://other.example")
    if shop.kind is Kind.ID:
        yield "A12 azp of another", shop.honest(azp="https://other.example")


def _payloads(shop: Workshop) -> Forged:
    head, body = shop.header(), shop.payload()
    raw = {
        "deep payload": b"[" * 2900 + b"]" * 2900,
        "deep member": body[:-1] + b',"x":' + b"[" * 2500 + b"]" * 2500 + b"}",
        "payload no object": b"[1]",
        "payload text": b'"x"',
        "payload empty": b" ",
        "payload with a BOM": b"\xef\xbb\xbf" + body,
        "payload in bad UTF-8": body[:-1] + b',"x":"\xff"}',
        "payload in UTF-16": body.decode().encode("utf-16"),
        "payload trailing": body + b"{}",
        "exp twice": body[:-1] + b',"exp":%d}' % (shop.now_s + 59),
        "exp twice, escaped": body[:-1] + b',"\\u0065xp":%d}' % (shop.now_s + 59),
        "NUL member": body[:-1] + b',"x":"\\u0000"}',
    }
    for name, text in raw.items():
        yield f"A17 {name}", shop.token(head, text)
    for name, text in {
        "alg twice": head[:-1] + b',"alg":"ES256"}',
        "alg twice, the second none": head[:-1] + b',"alg":"none"}',
        "kid twice, escaped": head[:-1] + b',"\\u006bid":"key-1"}',
        "typ twice": head[:-1] + b',"typ":"JWT"}',
        "deep header": b'{"alg":' + b"[" * 2500 + b"]" * 2500 + b"}",
        "header no object": b'["ES256"]',
        "header in bad UTF-8": head[:-1] + b',"x":"\xff"}',
        "header with a BOM": b"\xef\xbb\xbf" + head,
        "header trailing": head + b"x",
    }.items():
        yield f"A10 {name}", shop.token(text, body)
