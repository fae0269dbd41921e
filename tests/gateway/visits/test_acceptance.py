"""A grant holds, or it is refused in the same words whatever is wrong, and on record with it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway.claims import Kind
from tests.gateway import forge
from tests.gateway.recognition.region import new_key
from tests.gateway.visits.border import Border, Visitor

SAME_WORDS = {"error": "invalid_grant", "error_description": "the grant is not valid"}


async def back(border: Border, grant: str, *scenarios: str) -> Visitor:
    """A visitor who came back with this word of the home city."""
    visitor = border.browser()
    assert (await visitor.begin(*scenarios)).status_code == 201
    visitor.home.next_grant = grant
    assert (await visitor.come_back()).status_code == 303
    return visitor


def invalid_grant(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()) == (400, SAME_WORDS)


async def nobody_came(border: Border) -> bool:
    tables = ("visit", "visitor", "visit_token", "citizen", "standing")
    rows = [await border.town.owner.fetchval(f"SELECT count(*) FROM {name}") for name in tables]
    return rows == [0] * len(tables)


# ------------------------------------------------------------------ forged in every way

LATE = 10 * 365 * 86_400

#: What is wrong with a grant, as its changes to the honest one; and the reason on record.
FORGED: dict[str, tuple[Callable[[Border, str], dict[str, Any]], str]] = {
    "another typ": (lambda *_: {"head": {"typ": "JWT"}}, "type"),
    "an access token's typ": (lambda *_: {"head": {"typ": "at+jwt"}}, "type"),
    "no typ": (lambda *_: {"head": {"typ": ...}}, "type"),
    "alg none": (lambda *_: {"head": {"alg": "none"}}, "algorithm"),
    "alg HS256": (lambda *_: {"head": {"alg": "HS256"}}, "algorithm"),
    "alg EdDSA": (lambda *_: {"head": {"alg": "EdDSA"}}, "algorithm"),
    "a key in the header": (lambda *_: {"head": {"jwk": {}}}, "header"),
    "an address of keys": (lambda *_: {"head": {"jku": "https://evil.example"}}, "header"),
    "an unknown kid": (lambda *_: {"head": {"kid": "grant-x"}}, "key"),
    "the client key's kid": (lambda b, _: {"head": {"kid": b.home.key("client")[0]}}, "key"),
    "another city's kid": (lambda b, _: {"head": {"kid": b.homes[1].key("grant")[0]}}, "key"),
    "another city's key": (lambda b, _: {"key": b.homes[1].key("grant")[1]}, "signature"),
    "the home city's client key": (lambda b, _: {"key": b.home.key("client")[1]}, "signature"),
    "a stranger's key": (lambda *_: {"key": new_key()}, "signature"),
    "for another city": (lambda b, _: {"aud": b.homes[1].issuer}, "audience"),
    "for our token endpoint": (lambda *_: {"aud": "http://127.0.0.1:8700/oauth/token"}, "audience"),
    "for several": (lambda *_: {"aud": ["http://127.0.0.1:8700"]}, "claims"),
    "by another issuer": (lambda b, _: {"iss": b.homes[1].issuer}, "issuer"),
    "by nobody": (lambda *_: {"iss": ...}, "claims"),
    "to another client": (lambda *_: {"client_id": "330200"}, "client"),
    "to no client": (lambda *_: {"client_id": ...}, "claims"),
    "expired": (lambda b, _: _aged(b, 61), "expired"),
    "just expired": (lambda b, _: _aged(b, 60), "expired"),
    "five minutes old": (lambda b, _: _aged(b, 300), "expired"),
    "five minutes ahead": (lambda b, _: _aged(b, -300), "not-yet"),
    "of too long a life": (lambda b, _: _aged(b, 0, life=61), "lifetime"),
    "without an end": (lambda *_: {"exp": ...}, "claims"),
    "without a key": (lambda *_: {"cnf": ...}, "claims"),
    "for another key": (lambda b, _: {"cnf": {"jkt": b.browser().key.jkt}}, "key"),
    "without an id": (lambda *_: {"jti": ...}, "claims"),
    "with more than it may say": (lambda *_: {"score": 700}, "claims"),
    "with the citizen's band": (lambda *_: {"recognition": {"band": 5}}, "claims"),
    "wider than asked": (lambda *_: _says(scenarios=["library", "rent"]), "wider"),
    "not agreed on": (lambda *_: _says(scenarios=["hospital"]), "wider"),
    "a scenario twice": (lambda *_: _says(scenarios=["library", "library"]), "scenarios"),
    "no scenario": (lambda *_: _says(scenarios=[]), "claims"),
    "an unknown scheme": (lambda *_: _says(scheme="example-other"), "scheme"),
    "another version": (lambda *_: _says(scheme_version=2), "scheme"),
    "an unknown tier": (lambda *_: _says(tier="T9"), "tier"),
    "no status": (lambda *_: {"status": ...}, "claims"),
    "a status told elsewhere": (
        lambda *_: {"status": {"status_list": {"idx": 7, "uri": "https://evil.example/1"}}},
        "status-elsewhere",
    ),
    "a status told by a host that begins alike": (
        lambda b, _: {"status": {"status_list": {"idx": 7, "uri": b.home.issuer + ".evil/1"}}},
        "status-elsewhere",
    ),
}


def _says(**changes: Any) -> dict[str, Any]:
    return {"recognition": changes}


def _aged(border: Border, age_s: int, *, life: int = 60) -> dict[str, Any]:
    made_s = border.town.city.clock.now_us() // 1_000_000 - age_s
    return {"iat": made_s, "exp": made_s + life}


@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_grant_is_refused_in_the_same_words(border: Border, what: str) -> None:
    changes, reason = FORGED[what]
    visitor = border.browser()
    await visitor.arrive(**changes(border, visitor.key.jkt))
    answer = await visitor.present()
    assert invalid_grant(answer), answer.text
    assert await border.refused() == {reason}
    assert await nobody_came(border)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.RECOGNITION])
async def test_no_other_kind_of_token_passes_for_a_grant(border: Border, kind: Kind) -> None:
    kid, private = border.home.key("grant")
    now_s = border.town.city.clock.now_us() // 1_000_000
    body = forge.payload(kind, iss=border.home.issuer, aud=border.own.issuer, iat=now_s)
    visitor = await back(border, forge.token(forge.header(kind, kid=kid), body, private))
    assert invalid_grant(await visitor.present())
    assert await border.refused() <= {"type", "shape"}


@pytest.mark.parametrize("text", ["x", "a.b", "a.b.c", "", "é.é.é", "x" * 8_193])
async def test_no_text_passes_for_a_grant(border: Border, text: str) -> None:
    visitor = border.browser()
    assert (await visitor.begin()).status_code == 201
    visitor.home.next_grant = text
    back = await visitor.come_back()
    assert back.status_code in (303, 424)
    assert invalid_grant(await visitor.present())


# ------------------------------------------------------------------ whose it is


async def test_a_stolen_grant_opens_nothing_without_its_key(border: Border) -> None:
    owner, thief = border.browser(), border.browser()
    await owner.arrive()
    # The thief's own session and key, with the word that was meant for somebody else.
    assert (await thief.begin()).status_code == 201
    thief.home.next_grant = owner.grant
    await thief.come_back()
    assert invalid_grant(await thief.present())
    assert await border.refused() == {"key"}
    # And the owner's session, without the key.
    owner.key, kept = thief.key, owner.key
    stolen = await owner.present()
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_dpop_proof")
    owner.key = kept
    assert (await owner.present()).status_code == 200


@pytest.mark.parametrize("secret", [None, "", "x", "A" * 32])
async def test_without_the_session_that_began_nothing_is_accepted(
    border: Border, secret: str | None
) -> None:
    visitor = border.browser()
    await visitor.arrive()
    visitor.page.cookies.clear()
    if secret is not None:
        visitor.page.cookies.set("qianjiang-visit", secret)
    assert invalid_grant(await visitor.present())
    assert await nobody_came(border)


async def test_an_attempt_that_did_not_return_presents_nothing(border: Border) -> None:
    visitor = border.browser()
    await visitor.begin()
    assert invalid_grant(await visitor.present())


PROOFS: dict[str, dict[str, Any]] = {
    "another address": {"path": "/v1/visits/token"},
    "the parties' own": {"path": "/v1/credit-codes/redeem"},
    "another method": {"htm": "GET"},
    "an hour old": {"iat": 0},
    "another typ": {"header": {"typ": "jwt"}},
    "alg none": {"header": {"alg": "none"}},
    "no id": {"jti": ...},
}


@pytest.mark.parametrize("what", PROOFS)
async def test_no_bad_proof_passes_and_none_uses_up_the_grant(border: Border, what: str) -> None:
    visitor = border.browser()
    await visitor.arrive()
    refused = await visitor.present(visitor.proof(**PROOFS[what]))
    assert refused.status_code == 400
    mended = refused.json()["error"] == "use_dpop_nonce"
    assert mended == ("dpop-nonce" in refused.headers) == (what == "an hour old")
    assert mended or refused.json()["error"] == "invalid_dpop_proof"
    again = visitor.proof(nonce=refused.headers["dpop-nonce"]) if mended else visitor.proof()
    assert (await visitor.present(again)).status_code == 200


async def test_a_proof_is_used_once_and_needed_once(border: Border) -> None:
    first, second = border.browser(), border.browser()
    second.key = first.key
    await first.arrive()
    await second.arrive()
    proof = first.proof()
    assert (await first.present(proof)).status_code == 200
    replayed = await second.present(proof)
    assert replayed.json()["error"] == "invalid_dpop_proof"
    bare = await second.page.post("/v1/visits/token")
    assert bare.json()["error"] == "invalid_dpop_proof"
    twice = [("dpop", second.proof()), ("dpop", second.proof())]
    assert (await second.page.post("/v1/visits/token", headers=twice)).status_code == 400


# ------------------------------------------------------------------ once, and never an older one


async def test_an_attempt_presents_once(border: Border) -> None:
    visitor = border.browser()
    await visitor.arrive()
    assert (await visitor.present()).status_code == 200
    assert invalid_grant(await visitor.present())
    assert await border.refused() == {"attempt"}


async def test_a_grant_is_accepted_once_whatever_carries_it(border: Border) -> None:
    """The same word with its signature spelt the other way, by a second attempt of the browser."""
    first, second = border.browser(), border.browser()
    second.key = first.key
    await first.arrive()
    text, _, signature = first.grant.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    twin = f"{text}.{forge.b64(forge.joined(r, forge.N - s))}"
    assert (await second.begin()).status_code == 201
    second.home.next_grant = twin
    await second.come_back()
    assert (await first.present()).status_code == 200
    assert invalid_grant(await second.present())
    assert await border.refused() == {"replayed"}


async def test_an_older_word_does_not_replace_a_newer_one(border: Border) -> None:
    first, second, third = [border.browser() for _ in range(3)]
    now_s = first.now_s
    await first.arrive(iat=now_s, exp=now_s + 60)
    assert (await first.present()).status_code == 200
    await second.arrive(iat=now_s - 1, exp=now_s + 59)
    assert invalid_grant(await second.present())
    assert await border.refused() == {"older"}
    # Another visitor's times are none of hers, and the same second will do.
    await second.arrive(iat=now_s - 1, exp=now_s + 59, sub="pairwise-2")
    assert (await second.present()).status_code == 200
    await third.arrive(iat=now_s, exp=now_s + 60)
    assert (await third.present()).status_code == 200
    live = "SELECT count(*) FROM visit WHERE ended_on IS NULL"
    ended = "SELECT array_agg(reason) FROM visit WHERE ended_on IS NOT NULL"
    assert await border.town.owner.fetchval(live) == 2
    assert await border.town.owner.fetchval(ended) == ["replaced"]


# ------------------------------------------------------------------ what it rests on


async def test_what_no_longer_stands_at_home_is_not_accepted(border: Border) -> None:
    visitor = border.browser()
    await visitor.arrive()
    border.home.lists_down = True
    assert invalid_grant(await visitor.present())
    border.home.lists_down = False
    border.home.ended = {7}
    border.forget_lists()
    assert invalid_grant(await visitor.present())
    assert await border.refused() >= {"status-unknown", "revoked"}
    border.home.ended = {6, 8}
    border.forget_lists()
    assert (await visitor.present()).status_code == 200


async def suspended(border: Border) -> None:
    now_s = border.town.city.clock.now_us() // 1_000_000
    border.region.say(border.home.code, border.home, "suspend", now_s - 1)


async def expelled(border: Border) -> None:
    border.region.cities.remove(border.home)


async def sharing_a_key(border: Border) -> None:
    border.homes[1].keys[1] = border.home.keys[1]


async def without_that_key(border: Border) -> None:
    border.home.keys[1] = ("grant", "grant-new", new_key())


async def without_the_scenario(border: Border) -> None:
    border.own.changes["scenarios"] = ["rent"]


@pytest.mark.parametrize(
    "change", [suspended, expelled, sharing_a_key, without_that_key, without_the_scenario]
)
async def test_what_the_list_says_now_is_what_counts(
    border: Border, change: Callable[[Border], Any]
) -> None:
    visitor = border.browser()
    await visitor.arrive()
    await change(border)
    await border.publish()
    assert invalid_grant(await visitor.present())
    assert await border.refused() <= {"no-agreement", "key", "wider"}
    assert await nobody_came(border)


async def test_a_list_whose_time_is_over_recognises_nobody(border: Border) -> None:
    visitor = border.browser()
    await visitor.arrive()
    await border.town.owner.execute("UPDATE trust_list SET expires_at = clock_timestamp()")
    await border.town.city.trust.refresh()
    assert invalid_grant(await visitor.present())
    assert (await border.browser().begin()).status_code == 404


async def test_a_scheme_that_is_not_published_here_opens_nothing(border: Border) -> None:
    visitor = border.browser()
    await visitor.arrive()
    border.town.city.schemes._held.clear()  # as before its first publication
    assert invalid_grant(await visitor.present())
    assert await border.refused() == {"scheme-unknown"}


# ------------------------------------------------------------------ what opens


async def test_the_visit_is_what_was_said_and_what_the_scheme_makes_of_it(border: Border) -> None:
    consent = str(uuid4())
    visitor = border.browser()
    said = {"scenarios": ["library", "rent"], "tier": "T2", "consent_id": consent}
    await visitor.visit("library", "rent", recognition=said)
    (row,) = await border.town.owner.fetch("SELECT * FROM visit")
    assert (row["tier"], row["band"], row["limit_fen"]) == ("T2", 5, 100_000)
    assert row["scenarios"] == ["library", "rent"]
    (who,) = await border.town.owner.fetch("SELECT * FROM citizen")
    assert (who["identity"], who["identity_index"], who["erased_at"]) == (None, None, None)
    assert who["wrapped_key"] is not None
    # Nothing that the home city keeps as well stands here.
    text = str([await border.town.owner.fetch(f"SELECT * FROM {n}") for n in ("visit", "visitor")])
    claims = visitor.grant
    for shared in (consent, "pairwise-1", claims):
        assert shared not in text


async def test_who_comes_again_is_the_same_and_another_is_not(border: Border) -> None:
    for sub in ("pairwise-1", "pairwise-1", "pairwise-2"):
        await border.browser().visit(sub=sub)
    # The same name by another city is somebody else.
    await border.browser(border.homes[1]).visit(sub="pairwise-1")
    assert await border.town.owner.fetchval("SELECT count(*) FROM citizen") == 3
    assert await border.town.owner.fetchval("SELECT count(*) FROM visit") == 4
