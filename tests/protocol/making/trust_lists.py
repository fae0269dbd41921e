"""`trust-lists.json`: lists and entries of section 3."""

from __future__ import annotations

import copy
from typing import Any

from tests.protocol.making.agreements import NAME, SIGNED
from tests.protocol.making.cases import Group
from tests.protocol.making.forgeries import Honest, forgeries
from tests.protocol.making.jws import GONE, Pair, header, signed
from tests.protocol.making.world import (
    ISSUERS,
    KEYS,
    LIST,
    NOW,
    REGION,
    A,
    B,
    C,
    entry,
    key,
    named,
)

TYP = "trust-list+jwt"
BY = KEYS["region"]
SERIAL = 41
EVERY = [A, B, C]


def claims(**changes: Any) -> dict[str, Any]:
    """The payload of the honest list, with changes."""
    return {
        "iss": REGION,
        "sub": LIST,
        "iat": NOW - 10,
        "exp": NOW + 50,
        "ttl": 10,
        "serial": SERIAL,
        "cities": [entry(A), entry(B), entry(C)],
        "agreements": [],
    } | changes


def document(by: Pair = BY, /, **changes: Any) -> str:
    """The honest list, with changes to its payload."""
    return signed(header(TYP, by), claims(**changes), by)


def seen(**changes: Any) -> str:
    """The list that the reader has kept, of ten seconds before, with changes."""
    return document(BY, **({"iat": NOW - 20, "exp": NOW + 40} | changes))


def good(cities: list[str] = EVERY, **changes: Any) -> dict[str, Any]:
    """What follows from a good list: which cities are usable, and until when."""
    return {"serial": SERIAL, "until": NOW + 40, "cities": sorted(cities)} | changes


def make() -> Group:
    """The file."""
    group = Group(
        "Section 3: is the `document`, fetched from `address`, a good list at `now` for a reader "
        "that began to fetch it at `fetch_began` and has kept the one of `seen`, until when does "
        "it serve, and which of its cities are usable?",
        {
            "now": NOW,
            "fetch_began": NOW - 1,
            "address": LIST,
            "region": {"iss": REGION, "keys": [BY.jwk, KEYS["region-ed"].jwk]},
            "document": document(),
            "seen": None,
        },
    )
    for part in (_lists, _order, _form, _addresses, _entries, _keys):
        part(group)
    return group


def _lists(group: Group) -> None:
    group.accept("plain", "nothing is wrong", good())
    group.accept("eddsa", "by the region's other key", good(), document=document(KEYS["region-ed"]))
    group.accept("no-cities", "an empty list", good([]), document=document(cities=[]))
    agreed = [{"id": NAME, "statements": SIGNED}]
    group.accept("agreement", "with an agreement", good(), document=document(agreements=agreed))
    group.accept("short", "exp comes before 50 s are over", good(until=NOW + 1),
                 document=document(iat=NOW - 10, exp=NOW + 1))  # fmt: skip
    group.accept("last-second", "it is good, and serves no more", good(until=NOW - 9),
                 document=document(iat=NOW - 59, exp=NOW + 1))  # fmt: skip
    group.accept("clock-ahead", "the region's clock is 10 s ahead: the fetch counts",
                 good(until=NOW + 49), document=document(iat=NOW + 10, exp=NOW + 70))  # fmt: skip
    group.accept("fetch-slow", "the fetch began before iat", good(until=NOW + 30),
                 fetch_began=NOW - 20)  # fmt: skip
    for name, why, reason, changes in (
        ("over", "it has ended", "expired", {"iat": NOW - 60, "exp": NOW}),
        ("long-life", "61 s of life", "lifetime", {"exp": NOW + 51}),
        ("ahead", "from 11 s ahead", "not-yet", {"iat": NOW + 11, "exp": NOW + 60}),
        ("other-region", "of another region", "issuer", {"iss": "https://other.example"}),
        ("other-address", "published elsewhere", "audience", {"sub": LIST + "/2"}),
        ("ttl-long", "ttl above 20 s", "claims", {"ttl": 21}),
        ("ttl-none", "ttl 0", "claims", {"ttl": 0}),
        ("serial-text", "serial is text", "claims", {"serial": "41"}),
        ("serial-none", "serial 0", "claims", {"serial": 0}),
        ("serial-huge", "serial beyond 2^53 - 1", "claims", {"serial": 2**53}),
        ("unknown-member", "a member more", "claims", {"note": "示例"}),
        ("no-agreements", "agreements are missing", "claims", {"agreements": GONE}),
        ("too-many", "401 cities", "claims", {"cities": [{}] * 401}),
    ):
        group.refuse(name, why, reason, document=document(**changes))
    by_city = document(key(A, "grant"))
    group.refuse("by-a-city", "signed by a city", "key", document=by_city)
    by_stranger = signed(header(TYP, BY), claims(), KEYS["stranger"])
    group.refuse("by-a-stranger", "by a stranger's key", "signature", document=by_stranger)


def _order(group: Group) -> None:
    group.accept("signed-anew", "the same serial, signed anew", good(), seen=seen())
    group.accept("next-serial", "the next serial, other cities", good([A, B], serial=SERIAL + 1),
                 document=document(serial=SERIAL + 1, cities=[entry(A), entry(B)]),
                 seen=seen())  # fmt: skip
    group.accept("same-again", "the very same list again", good(), seen=document())
    for name, why, before in (
        ("rolled-back", "a lower serial", seen(serial=SERIAL + 1)),
        ("older", "the same serial, an older iat", seen(iat=NOW - 9, exp=NOW + 51)),
        ("older-next", "the next serial, an older iat",
         seen(serial=SERIAL - 1, iat=NOW - 9, exp=NOW + 51)),
        ("other-cities", "one serial, two lists", seen(cities=[entry(A), entry(B)])),
        ("other-agreements", "one serial, two lists",
         seen(agreements=[{"id": NAME, "statements": SIGNED}])),
    ):  # fmt: skip
        group.refuse(name, why, "serial", seen=before)


def _form(group: Group) -> None:
    wanted = {"alg-none-signed", "alg-absent-signed", "hmac-pem", "signature-zeros", "header-crit",
              "header-jwk", "typ-absent", "spelling-padded", "member-twice"}  # fmt: skip
    small = claims(cities=[], agreements=[])
    for name, why, reason, forged in forgeries(Honest(TYP, small, BY)):
        if name in wanted:
            group.refuse(name, why, reason, document=forged)
    for typ in ("JWT", "statuslist+jwt", "recognition+jwt"):
        forged = signed(header(typ, BY), small, BY)
        group.refuse(f"typ-{typ}", f"typ is {typ}", "type", document=forged)


def _without_b(group: Group, name: str, why: str, changed: dict[str, Any]) -> None:
    group.accept(f"entry-{name}", f"B is left out: {why}", good([A, C]),
                 document=document(cities=[entry(A), changed, entry(C)]))  # fmt: skip


def _addresses(group: Group) -> None:
    own = ISSUERS[B]
    for name, why, issuer in (
        ("http", "its issuer is not https", own.replace("https", "http")),
        ("slash", "its issuer has a slash at the end", own + "/"),
        ("path", "its issuer has a path", own + "/city"),
        ("user", "its issuer has a user", "https://user@credit.ningbo.example"),
        ("query", "its issuer has a query", own + "?city=1"),
        ("upper", "its issuer is not in lower case", own.replace("credit", "Credit")),
    ):
        _without_b(group, f"issuer-{name}", why, _moved(issuer))
    for member in ("par", "authorize", "token"):
        endpoints = entry(B)["endpoints"] | {member: f"{ISSUERS[C]}/oauth/{member}"}
        why = f"endpoints.{member} is another city's"
        _without_b(group, f"endpoint-{member}", why, entry(B, endpoints=endpoints))
    for name, why, uri in (
        ("foreign", "a redirect URI of another origin", f"{ISSUERS[C]}/recognition/callback"),
        ("longer-host", "an origin that only begins alike", own + ".evil.example/callback"),
        ("user", "its issuer is the user of another host", own + "@evil.example/callback"),
        ("query", "a redirect URI with a query", own + "/callback?to=1"),
        ("fragment", "a redirect URI with a fragment", own + "/callback#to"),
        ("http", "a redirect URI that is not https", own.replace("https", "http") + "/callback"),
        ("script", "a redirect URI that is a script", "javascript:alert(1)"),
    ):
        changed = entry(B, redirect_uris=[*entry(B)["redirect_uris"], uri])
        _without_b(group, f"redirect-{name}", why, changed)


def _moved(issuer: str) -> dict[str, Any]:
    """B's entry with all of its addresses under another issuer."""
    moved = entry(B, issuer=issuer)
    moved["endpoints"] = {name: f"{issuer}/oauth/{name}" for name in moved["endpoints"]}
    moved["redirect_uris"] = [f"{issuer}/recognition/callback"]
    return moved


def _entries(group: Group) -> None:
    for member in entry(B):
        _without_b(group, f"without-{member}", f"{member} is missing", entry(B, **{member: GONE}))
    for name, why, changes in (
        ("unknown-member", "a member more", {"note": "示例"}),
        ("code", "its code has five digits", {"code": "33020"}),
        ("no-scenarios", "no scenarios", {"scenarios": []}),
        ("scenario", "a scenario with a space", {"scenarios": ["信用 图书"]}),
        ("nine-redirects", "nine redirect URIs",
         {"redirect_uris": [f"{ISSUERS[B]}/callback/{n}" for n in range(9)]}),
        ("one-operator", "one operator only", {"operators": entry(B)["operators"][:1]}),
        ("no-city", "it is text", None),
    ):  # fmt: skip
        # Changes of any type, wrong ones among them.
        _without_b(group, name, why, "330200" if changes is None else entry(B, **changes))  # type: ignore[arg-type]
    twins = [entry(A), entry(B), entry(C, code=B)]
    group.accept("shared-code", "two cities of one code: both are left out", good([A]),
                 document=document(cities=twins))  # fmt: skip
    same = _moved(ISSUERS[B]) | {"code": C} | {n: entry(C)[n] for n in ("keys", "operators")}
    group.accept("shared-issuer", "two cities of one issuer: both are left out", good([A]),
                 document=document(cities=[entry(A), entry(B), same]))  # fmt: skip


def _keys(group: Group) -> None:
    keys: list[Any] = entry(B)["keys"]
    for purpose in ("client", "grant", "status"):
        others = [each for each in keys if each["purpose"] != purpose]
        spare = [named(B, others[0]["purpose"], f"operator-{n}") for n in (1,)]
        changed = entry(B, keys=[*others, *spare], operators=entry(B)["operators"][1:])
        _without_b(group, f"no-{purpose}-key", f"no key for the purpose {purpose}", changed)
    for name, why, jwk in (
        ("private", "it publishes a private key", key(B, "grant").secret),
        ("rsa", "an RSA key", {"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}),
        ("secret", "a symmetric key", {"kty": "oct", "kid": "1", "k": "c2VjcmV0"}),
        ("off-curve", "no point of the curve", key(B, "grant").jwk | {"y": "A" * 43}),
        ("small-order", "an Ed25519 key of small order",
         {"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "A" * 43}),
        ("for-encryption", "a key for encryption", key(B, "grant").jwk | {"use": "enc"}),
        ("other-alg", "an algorithm that is not the key's", key(B, "grant").jwk | {"alg": "EdDSA"}),
        ("no-kid", "a key without a kid",
         {k: v for k, v in key(B, "grant").jwk.items() if k != "kid"}),
    ):  # fmt: skip
        others = copy.deepcopy(keys)
        others[1]["jwk"] = jwk
        _without_b(group, f"key-{name}", why, entry(B, keys=others))
    renamed = {"purpose": "grant", "jwk": key(B, "operator-3").jwk | {"kid": f"{B}-grant"}}
    once = entry(B, keys=[*keys, renamed], operators=entry(B)["operators"][:2])
    _without_b(group, "key-kid-twice", "two grant keys of one kid", once)
    stolen: dict[str, Any] = copy.deepcopy(entry(C))
    stolen["keys"][1]["jwk"] = key(B, "grant").jwk | {"kid": "mine"}
    group.accept("shared-key", "A20: two cities hold one key: both are left out", good([A]),
                 document=document(cities=[entry(A), entry(B), stolen]))  # fmt: skip
    twice = copy.deepcopy(entry(C))
    twice["keys"][1]["jwk"] = key(C, "client").jwk
    group.accept("key-for-two-purposes", "C uses one key for two purposes: it is left out",
                 good([A, B]), document=document(cities=[entry(A), entry(B), twice]))  # fmt: skip
    stranger = stolen | {"issuer": ISSUERS[C] + "/"}
    group.accept("shared-key-of-a-bad-entry", "A20: what is left out anyhow still shares",
                 good([A]), document=document(cities=[entry(A), entry(B), stranger]))  # fmt: skip
    across = copy.deepcopy(entry(C))
    across["operators"][0]["jwk"] = key(B, "status").jwk
    group.accept("shared-key-across", "A20: whatever its purpose", good([A]),
                 document=document(cities=[entry(A), entry(B), across]))  # fmt: skip
