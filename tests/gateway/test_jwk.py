"""Keys from outside: only two kinds enter, and nothing that can be turned against us."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from gateway import jwk
from gateway.jwk import (
    Alg,
    JwkRefused,
    Key,
    PublicKey,
    parse_jwk,
    parse_jwks,
    public_jwk,
    thumbprint,
    unb64url,
)
from tests.gateway import forge

EC = {  # RFC 7517 A.1
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "kid": "ec",
}
ED = {  # RFC 8037 A.2
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "kid": "ed",
}


def little(y: int) -> str:
    return base64.urlsafe_b64encode(y.to_bytes(32, "little")).rstrip(b"=").decode()


REFUSED: dict[str, dict[str, Any]] = {
    "symmetric": {"kty": "oct", "k": "AAAA", "kid": "a"},
    "RSA": {"kty": "RSA", "n": "sXch", "e": "AQAB", "kid": "a"},
    "P-384": {**EC, "crv": "P-384"},
    "secp256k1": {**EC, "crv": "secp256k1"},
    "X25519": {**ED, "crv": "X25519"},
    "Ed448": {**ED, "crv": "Ed448"},
    "private EC": {**EC, "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"},
    "private EC, null": {**EC, "d": None},
    "private Ed25519": {**ED, "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"},
    "for encryption": {**EC, "use": "enc"},
    "use of another case": {**EC, "use": "SIG"},
    "for encrypting": {**EC, "key_ops": ["encrypt"]},
    "for signing": {**EC, "key_ops": ["sign"]},
    "for verifying and more": {**EC, "key_ops": ["verify", "encrypt"]},
    "for nothing": {**EC, "key_ops": []},
    "ES256 on Ed25519": {**ED, "alg": "ES256"},
    "EdDSA on P-256": {**EC, "alg": "EdDSA"},
    "HS256 on P-256": {**EC, "alg": "HS256"},
    "alg none": {**EC, "alg": "none"},
    "off the curve": {**EC, "y": EC["x"]},
    "the origin": {**EC, "x": "A" * 43, "y": "A" * 43},
    "x beyond the field": {**EC, "x": "_" * 42 + "8"},
    "a short x": {**EC, "x": EC["x"][:-2]},
    "a long x": {**EC, "x": EC["x"] + "AA"},
    "padded x": {**EC, "x": EC["x"] + "="},
    "stray bits in x": {**EC, "x": EC["x"][:-1] + "5"},
    "no y": {k: v for k, v in EC.items() if k != "y"},
    "y on Ed25519": {**ED, "y": EC["y"]},
    "x a number": {**EC, "x": 1},
    "kid a number": {**EC, "kid": 1},
    "kid a list": {**EC, "kid": ["a"]},
    "an empty kid": {**EC, "kid": ""},
    "a kid with a NUL": {**EC, "kid": "a\0"},
    "a kid with a line end": {**EC, "kid": "a\r\nb"},
    "a look-alike kid": {**EC, "kid": "еc"},
    "a long kid": {**EC, "kid": "k" * 129},
    **{f"Ed25519 of small order {i}": {**ED, "x": little(y)}
       for i, y in enumerate(sorted(jwk._SMALL_ORDER))},
    **{f"Ed25519 not canonical {k}": {**ED, "x": little(2**255 - 19 + k)} for k in range(19)},
    "x with a zero before it": {**EC, "x": forge.b64(b"\0" + unb64url(EC["x"]))},
    "Ed25519 off the curve": {**ED, "x": little(2)},
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_key_is_refused_alone_and_passed_over_or_condemned_in_a_set(name: str) -> None:
    with pytest.raises(JwkRefused):
        parse_jwk(json.dumps(REFUSED[name]).encode())
    try:
        found = parse_jwks(json.dumps({"keys": [REFUSED[name], {**ED, "kid": "good"}]}).encode())
    except JwkRefused:
        return
    assert list(found) == ["good"]


@pytest.mark.parametrize("name", ["private EC", "private EC, null", "symmetric"])
def test_a_secret_condemns_the_whole_set(name: str) -> None:
    with pytest.raises(JwkRefused):
        parse_jwks(json.dumps({"keys": [ED, REFUSED[name]]}).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[1]}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"keys":[]}' + b" " * 65_536,
        json.dumps({"keys": [EC, EC]}).encode(),
        json.dumps({"keys": [EC, {**ED, "kid": "ec"}]}).encode(),
        json.dumps({"keys": [EC, {"kty": "RSA", "kid": "ec"}]}).encode(),
        json.dumps({"keys": [{**EC, "kid": f"k{i}"} for i in range(33)]}).encode(),
        b"\xff\xfe",
        b"<html>",
    ],
    ids=range(14),
)
def test_a_wrong_set_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(JwkRefused):
        parse_jwks(raw)


@given(st.binary(max_size=80))
def test_no_bytes_are_another_error(raw: bytes) -> None:
    with pytest.raises(JwkRefused):
        parse_jwk(raw)


def test_a_key_without_a_name_is_named_by_its_thumbprint() -> None:
    nameless = {k: v for k, v in ED.items() if k != "kid"}
    # RFC 8037 A.3
    assert parse_jwk(json.dumps(nameless).encode()).kid == (
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )


@pytest.mark.parametrize(("sample", "alg"), [(EC, Alg.ES256), (ED, Alg.EDDSA)])
def test_a_public_key_enters_and_is_published_unchanged(sample: dict[str, str], alg: Alg) -> None:
    key = parse_jwk(json.dumps({**sample, "use": "sig", "key_ops": ["verify"]}).encode())
    assert (key.kid, key.alg) == (sample["kid"], alg)
    published = public_jwk(key)
    assert published == {**sample, "alg": alg.value, "use": "sig"}
    again = parse_jwk(json.dumps(published).encode())
    assert thumbprint(again.public) == thumbprint(key.public)


def test_unknown_members_are_ignored() -> None:
    assert parse_jwk(json.dumps({**EC, "x5t": "abc", "note": "hello"}).encode()).kid == "ec"


def test_a_set_of_both_kinds_is_read() -> None:
    assert set(parse_jwks(json.dumps({"keys": [EC, ED, REFUSED["RSA"]]}).encode())) == {"ec", "ed"}


@given(st.binary(max_size=70))
def test_base64url_has_one_spelling(raw: bytes) -> None:
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert unb64url(text) == raw
    for other in (text + "=", text + "A" * (4 - len(text) % 4) + "=", text + "\n", " " + text):
        with pytest.raises(ValueError):
            unb64url(other)


def test_fresh_keys_of_both_kinds_survive_the_round() -> None:
    edwards = (ed25519.Ed25519PrivateKey.generate().public_key() for _ in range(20))
    pairs: list[tuple[Alg, PublicKey]] = [(Alg.EDDSA, public) for public in edwards]
    pairs.append((Alg.ES256, ec.generate_private_key(ec.SECP256R1()).public_key()))
    for alg, public in pairs:
        key = Key("k", alg, public)
        again = parse_jwk(json.dumps(public_jwk(key)).encode())
        assert thumbprint(again.public) == thumbprint(key.public)
