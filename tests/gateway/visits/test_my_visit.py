"""A visitor's own visit: what is open, how fresh the home city's word is, and the end of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from gateway.export_document import Export
from tests.gateway.callers import body, key
from tests.gateway.my_data.life import CLOSURE, close
from tests.gateway.visits.border import Border

PATH = "/v1/me/visit"


async def whose(border: Border) -> UUID:
    found = await border.town.owner.fetchval("SELECT citizen FROM visitor")
    assert isinstance(found, UUID)
    return found


async def test_a_stranger_and_the_citys_own_have_none(border: Border) -> None:
    own = await border.callers().citizen(await border.town.citizen())
    for path, method in ((PATH, "GET"), (PATH + "/end", "POST")):
        assert (await border.callers().stranger().request(method, path)).status_code == 401
        assert (await own.request(method, path)).status_code == 404


async def test_what_is_open_by_which_tier_and_how_fresh_the_word_is(border: Border) -> None:
    said = {"scenarios": ["rent", "library"]}
    page = await border.browser().visit("library", "rent", recognition=said)
    told = body(await page.get(PATH))
    assert told["home"]["name"] == {"zh": "宁波", "en": "Ningbo"}
    assert told["home"]["contact"] == "示例：0571-00000000"
    assert [each["id"] for each in told["scenarios"]] == ["rent", "library"]
    assert all(each["title"]["zh"] for each in told["scenarios"])
    assert (told["tier"], told["scheme"], told["scheme_version"]) == ("T1", "example-delta", 1)
    assert told["scheme_title"]["en"].startswith("Recognition scheme")
    assert told["deposit_limit_fen"] == 50_000
    assert (told["live"], told["fresh"], told["ended_on"]) == (True, True, None)
    await border.town.owner.execute("UPDATE issuer SET fresh_until = clock_timestamp()")
    assert body(await page.get(PATH))["fresh"] is False
    assert "band" not in told
    # Without the trust list nobody can say what the home city is called; its code stays.
    await border.town.owner.execute("UPDATE trust_list SET expires_at = clock_timestamp()")
    await border.town.city.trust.refresh()
    assert body(await page.get(PATH))["home"] == {"code": "330200", "name": None, "contact": None}
    who = body(await page.get("/v1/me"))["who"]
    assert who["name"] == "来自330200的访客 / visitor from 330200"


async def test_a_visitor_ends_the_visit_at_any_time(border: Border) -> None:
    page = await border.browser().visit()
    assert (await page.post(PATH + "/end", headers={"x-csrf-token": "x"})).status_code == 403
    for _ in range(2):
        assert (await page.post(PATH + "/end")).status_code == 204
    told = body(await page.get(PATH))
    assert (told["live"], told["reason"]) == (False, "visitor")
    assert told["ended_on"] is not None
    assert body(await page.get("/v1/me"))["visit"]["live"] is False
    # Who comes again is live again.
    again = await border.browser().visit()
    assert body(await again.get(PATH))["live"] is True
    assert body(await page.get(PATH))["live"] is True


async def test_the_score_is_none_of_a_visitors(border: Border) -> None:
    page = await border.browser().visit()
    text = body(await page.get("/v1/me/notice"))["text_sha256"]
    path = "/v1/me/score-authorisation"
    given: dict[str, Any] = {"status": "given", "text_sha256": text}
    for number, sent in enumerate((given, {"status": "withdrawn"})):
        refused = await page.post(path, json=sent, headers=key(f"k-{number}"))
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:qianjiang:problem:forbidden"
    assert await border.town.owner.fetchval("SELECT count(*) FROM score_authorisation") == 0


async def test_a_visitors_copy_has_the_visits_and_no_identity(border: Border) -> None:
    page = await border.browser().visit()
    answer = await page.get("/v1/me/export")
    assert answer.status_code == 200
    document = msgspec.json.decode(answer.content, type=Export)
    who = document.identity
    assert (who.id_number, who.birthdate, who.home) == (None, None, "330200")
    assert who.name.startswith("来自宁波的访客")
    (visit,) = document.visits
    assert (visit.home, visit.tier, visit.scenarios) == ("330200", "T1", ("library",))


# ------------------------------------------------------------------ closing the account

LINKS = ("visitor", "visit_token")


async def test_with_the_account_nothing_joins_a_visitor_to_the_home_city(border: Border) -> None:
    visitor = border.browser()
    page = await visitor.visit()
    citizen, owner = await whose(border), border.town.owner
    assert (await close(page)).status_code == 204
    assert (await page.get(CLOSURE)).status_code == 401
    for table in LINKS:
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0
    (left,) = await owner.fetch("SELECT * FROM visit")
    assert left["citizen"] != citizen
    assert (left["status_uri"], left["status_idx"], left["reason"]) == ("", 0, "closed")
    erased = await owner.fetchrow("SELECT * FROM citizen WHERE id = $1", citizen)
    assert erased is not None
    assert erased["erased_at"] is not None
    assert erased["wrapped_key"] is None
    # The word that was accepted is not accepted again, and who comes anew is somebody else.
    replay = border.browser()
    replay.key = visitor.key
    await replay.begin()
    replay.home.next_grant = visitor.grant
    await replay.come_back()
    assert (await replay.present()).json()["error"] == "invalid_grant"
    await border.browser().visit()
    assert await whose(border) != citizen


async def test_what_ended_long_ago_goes_with_the_account(border: Border) -> None:
    page = await border.browser().visit()
    await border.town.owner.execute("UPDATE visit SET granted_at = now() - interval '1 hour'")
    assert (await close(page)).status_code == 204
    assert await border.town.owner.fetchval("SELECT count(*) FROM visit") == 0


@pytest.mark.parametrize("after", ["1 day", "29 days"])
async def test_a_visit_that_is_over_is_shown_for_a_month(border: Border, after: str) -> None:
    page = await border.browser().visit()
    await page.post(PATH + "/end")
    await border.town.owner.execute(f"UPDATE visit SET ended_on = ended_on - interval '{after}'")
    assert body(await page.get(PATH))["live"] is False
