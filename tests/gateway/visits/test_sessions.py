"""From the token to the session: strangers first; the key once more; used up, and no other way."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from gateway.recognition.visit_sessions import SESSION_PATH
from tests.gateway.city import TestCity
from tests.gateway.visits.border import Border, Visitor


async def holding(border: Border, **claims: Any) -> tuple[Visitor, str]:
    """A visitor with a token."""
    visitor = border.browser()
    await visitor.arrive(**claims)
    shown = await visitor.present()
    assert shown.status_code == 200, shown.text
    token: str = shown.json()["access_token"]
    return visitor, token


def refused(answer: httpx.Response, error: str) -> bool:
    return (
        answer.status_code == 401
        and answer.json()["type"] == "urn:qianjiang:problem:unauthenticated"
        and answer.headers["www-authenticate"].startswith(f'DPoP error="{error}"')
        and "set-cookie" not in answer.headers
    )


async def test_a_stranger_gets_no_session(border: Border) -> None:
    visitor, token = await holding(border)
    proof = {"dpop": visitor.proof(SESSION_PATH, token=token)}
    for credential in ("", "DPoP", "DPoP x", f"Bearer {token}", f"Basic {token}", token):
        sent = proof | {"authorization": credential}
        assert refused(await visitor.page.post(SESSION_PATH, headers=sent), "invalid_token")
    assert refused(await visitor.page.post(SESSION_PATH, headers=proof), "invalid_token")
    assert refused(await visitor.enter("A" * 32), "invalid_token")
    assert await border.town.owner.fetchval("SELECT count(*) FROM session") == 0


async def test_the_token_opens_nothing_else(border: Border) -> None:
    visitor, token = await holding(border)
    party = "/v1/scenarios/library/eligibility"
    for scheme in ("DPoP", "Bearer"):
        proof = visitor.proof(party, token=token)
        headers = {"authorization": f"{scheme} {token}", "dpop": proof}
        assert (await visitor.page.post(party, headers=headers, json={})).status_code == 401
        assert (await visitor.page.get("/v1/me", headers=headers)).status_code == 401


WRONG: dict[str, dict[str, Any]] = {
    "for another token": {"token": "B" * 32},
    "for no token": {"token": None},
    "for the token endpoint": {"path": "/oauth/token"},
    "for another method": {"htm": "GET"},
}


@pytest.mark.parametrize("what", WRONG)
async def test_the_proof_is_of_this_very_request(border: Border, what: str) -> None:
    visitor, token = await holding(border)
    given = {"path": SESSION_PATH, "token": token} | WRONG[what]
    assert refused(await visitor.enter(token, visitor.proof(**given)), "invalid_dpop_proof")
    assert (await visitor.enter(token)).status_code == 204, "and the token is not used up by it"


async def test_a_stolen_token_opens_nothing_without_its_key(border: Border) -> None:
    _, token = await holding(border)
    thief = border.browser()
    assert refused(await thief.enter(token), "invalid_dpop_proof")
    assert "proof-binding" in await border.refused()


async def test_a_clock_that_is_off_needs_one_more_request(border: Border) -> None:
    visitor, token = await holding(border)
    late = visitor.proof(SESSION_PATH, token=token, iat=visitor.now_s - 300)
    told = await visitor.enter(token, late)
    assert refused(told, "use_dpop_nonce")
    mended = visitor.proof(SESSION_PATH, token=token, iat=1, nonce=told.headers["dpop-nonce"])
    assert (await visitor.enter(token, mended)).status_code == 204


async def test_of_many_at_once_one_gets_the_session(border: Border, other_worker: TestCity) -> None:
    visitor, token = await holding(border)
    pages = [border.callers(worker).stranger() for worker in border.workers]

    async def tried(number: int) -> int:
        proof = visitor.proof(SESSION_PATH, token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": proof}
        return (await pages[number % 2].post(SESSION_PATH, headers=headers)).status_code

    statuses = await asyncio.gather(*(tried(number) for number in range(100)))
    assert sorted(set(statuses)) == [204, 401]
    assert statuses.count(204) == 1
    assert await border.town.owner.fetchval("SELECT count(*) FROM session") == 1


async def test_a_token_ends_after_five_minutes_and_with_its_visit(border: Border) -> None:
    visitor, token = await holding(border)
    await border.town.owner.execute(
        "UPDATE visit_token SET expires_at = expires_at - interval '5 minutes'"
    )
    assert refused(await visitor.enter(token), "invalid_token")
    visitor, token = await holding(border)
    await border.town.owner.execute("UPDATE visit SET ended_on = today(), reason = 'status'")
    assert refused(await visitor.enter(token), "invalid_token")


async def test_a_session_replaces_the_one_before_it_in_that_browser(border: Border) -> None:
    mine = await border.callers().citizen(await border.town.citizen())
    city = border.town.city
    visitor, token = await holding(border)
    before = mine.cookies[city.sessions.cookie]
    visitor.page.headers["cookie"] = f"{city.sessions.cookie}={before}"
    assert (await visitor.enter(token)).status_code == 204
    assert (await mine.get("/v1/me/sessions")).status_code == 401
    assert "qianjiang-visit" not in visitor.page.cookies
    del visitor.page.headers["cookie"]
    assert (await visitor.page.get("/v1/me")).json()["visit"]["home"]["code"] == "330200"


async def test_nothing_kept_is_the_token_or_the_cookie(border: Border) -> None:
    visitor, token = await holding(border)
    await visitor.enter(token)
    kept = await border.town.owner.fetch("SELECT t::text FROM visit_token AS t")
    assert token not in str(kept)
    assert token.encode().hex() not in str(kept)
