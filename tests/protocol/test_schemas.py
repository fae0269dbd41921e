"""The schemas are sound, and say the same as the gateway's decoders."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from gateway.claims import RULES, AssertionClaims, Kind, ProofClaims
from gateway.jose import Reason, Refused
from gateway.proof_token import verify_proof
from gateway.recognition.entry import EntryRefused, parse_entry
from tests.protocol import schemas
from tests.protocol.making import agreements, assertions, grant, proofs, status_lists, trust_lists
from tests.protocol.making.jws import b64, dumps
from tests.protocol.making.world import A, B, entry
from tests.protocol.oddities import variants

every_schema = pytest.mark.parametrize("name", schemas.NAMES)

#: Objects that stay open, as the RFCs that they come from ask.
_OPEN = {"client-assertion.json", "proof.json", "proof-header.json"}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _nodes(each)


@every_schema
def test_a_schema_is_one(name: str) -> None:
    schema = schemas.document(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/{name}")


@every_schema
def test_every_pattern_is_anchored_at_both_ends(name: str) -> None:
    patterns = [node["pattern"] for node in _nodes(schemas.document(name)) if "pattern" in node]
    assert [each for each in patterns if not re.match(r"\A\^.*\$\Z", each) or "\\d" in each] == []


@every_schema
def test_every_object_is_closed_but_those_of_other_rfcs(name: str) -> None:
    if name in _OPEN:
        return
    objects = [each for each in _nodes(schemas.document(name)) if each.get("type") == "object"]
    keys = [each for each in objects if "kty" in each.get("required", ())]
    assert [each for each in objects if "additionalProperties" not in each] == keys


def _decodes(decoder: Any) -> Callable[[bytes], bool]:
    def decodes(text: bytes) -> bool:
        try:
            decoder.decode(text)
        except msgspec.DecodeError:
            return False
        return True

    return decodes


def _is_header(text: bytes) -> bool:
    """Whether a proof with this header fails for nothing but its signature."""
    found = verify_proof(f"{b64(text)}.{b64(dumps(proofs.body()))}.AA", lambda *_: None)
    return isinstance(found, Refused) and found.reason is Reason.SIGNATURE


_SIGN = json.loads(json.dumps(agreements.said(A)))
_SUSPEND = {name: value for name, value in _SIGN.items() if name not in agreements.TERMS}

#: Schema, a good document, and whether the gateway reads another.
_DOCUMENTS: dict[str, tuple[str, Any, Callable[[bytes], bool]]] = {
    "grant": ("grant", grant.claims(), _decodes(RULES[Kind.RECOGNITION].decode)),
    "status-list": (
        "status-list",
        status_lists.claims(),
        _decodes(RULES[Kind.STATUS_LIST].decode),
    ),
    "trust-list": (
        "trust-list",
        trust_lists.claims(cities=[entry(A)]),
        _decodes(RULES[Kind.TRUST_LIST].decode),
    ),
    "assertion": (
        "client-assertion",
        assertions.claims(nbf=1),
        _decodes(msgspec.json.Decoder(AssertionClaims)),
    ),
    "proof": (
        "proof",
        proofs.body(ath="x", nonce="y", nbf=1, exp=2),
        _decodes(msgspec.json.Decoder(ProofClaims)),
    ),
    "proof-header": ("proof-header", json.loads(json.dumps(proofs.head())), _is_header),
}


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_schema_and_decoder_agree_on_every_odd_document(document: str) -> None:
    schema, good, decodes = _DOCUMENTS[document]
    assert schemas.is_valid(schema, good)
    assert decodes(json.dumps(good).encode())
    verdicts = set()
    for path, odd in variants(good):
        text = json.dumps(odd).encode()
        verdicts.add(valid := schemas.is_valid(schema, odd))
        assert valid == decodes(text), (path, text[:2000])
    assert verdicts == {True, False}


def _refusal(text: bytes) -> str | None:
    try:
        parse_entry(text)
    except EntryRefused as fault:
        return str(fault)
    return None


#: What an entry must be besides what its schema says, as its description tells.
_BESIDES = (
    "must be an address of its own issuer",
    "two keys with one kid",
    "a point of the curve",
    "not harmless JSON",
)


def test_schema_and_reader_agree_on_every_odd_entry() -> None:
    good = entry(B)
    assert schemas.is_valid("entry", good)
    assert _refusal(json.dumps(good).encode()) is None
    met = set()
    for path, odd in variants(good):
        refusal = _refusal(json.dumps(odd).encode())
        if schemas.is_valid("entry", odd):
            besides = [each for each in _BESIDES if each in (refusal or each)]
            assert besides, (path, refusal)
            met.update(besides)
        elif path[-1:] not in _NULLABLE:
            assert refusal is not None, path
    assert met == set(_BESIDES)


#: Members of a key that RFC 7517 makes optional: our reader takes null for absent there.
_NULLABLE = {("use",), ("alg",), ("key_ops",)}


def test_an_identifier_has_one_spelling_that_the_schema_takes() -> None:
    """The decoder is more liberal in the spelling of a UUID, which it compares by value."""
    for jti in (grant.claims()["jti"].upper(), grant.claims()["jti"].replace("-", "")):
        assert not schemas.is_valid("grant", grant.claims(jti=jti))


def test_every_good_statement_is_as_its_schema_says() -> None:
    assert schemas.is_valid("statement", _SIGN)
    assert not schemas.is_valid("statement", _SUSPEND)
    for act in ("suspend", "resume", "end"):
        assert schemas.is_valid("statement", _SUSPEND | {"act": act})
        assert not schemas.is_valid("statement", _SIGN | {"act": act})


def test_oddities_are_many() -> None:
    assert len(list(islice(variants(grant.claims()), 500))) == 500
