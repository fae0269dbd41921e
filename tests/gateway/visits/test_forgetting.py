"""When visitors came, in which order, and who stays away: forgotten, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway import jobs
from gateway.clock import SHANGHAI
from gateway.recognition import forgetting
from gateway.recognition.forgetting import ABSENT_DAYS, Forgetting
from gateway.standing import StandingWriter
from tests.gateway.city import ENTITY, TestCity
from tests.gateway.visits.border import Border

LIVING = "SELECT count(*) FROM visit WHERE ended_on IS NULL"


def forget(town: TestCity) -> Forgetting:
    """The city's forgetting."""
    return Forgetting(town.city.database, town.city.writer, town.city.closing)


async def rows(town: TestCity, table: str) -> list[Any]:
    return await town.owner.fetch(f"SELECT * FROM {table}")


async def a_day_passes(town: TestCity, days: int = 1) -> None:
    await town.owner.execute(
        "UPDATE visit SET opened_on = opened_on - $1::integer, ended_on = ended_on - $1::integer",
        days,
    )


# ------------------------------------------------------------------ what a visit leaves


async def test_of_a_first_visit_the_day_is_kept_and_no_id_tells_more(border: Border) -> None:
    await border.browser().visit()
    now = await border.town.owner.fetchval("SELECT clock_timestamp()")
    (visit,), (citizen,) = await rows(border.town, "visit"), await rows(border.town, "citizen")
    created = citizen["created_at"].astimezone(SHANGHAI)
    assert (created.hour, created.minute, created.second, created.microsecond) == (0, 0, 0, 0)
    assert visit["opened_on"] == now.astimezone(SHANGHAI).date() == created.date()
    # A UUIDv7 of this day would begin with its milliseconds.
    age_ms = now.timestamp() * 1000 - (visit["id"].int >> 80)
    assert abs(age_ms) > timedelta(days=1).total_seconds() * 1000


async def test_what_was_used_is_nowhere_any_more(border: Border) -> None:
    visitor = border.browser()
    await visitor.arrive()
    assert len(await rows(border.town, "visit_attempt")) == 1
    token = (await visitor.present()).json()["access_token"]
    assert await rows(border.town, "visit_attempt") == []
    assert len(await rows(border.town, "visit_token")) == 1
    assert (await visitor.enter(token)).status_code == 204
    assert await rows(border.town, "visit_token") == []


@pytest.mark.parametrize(("seconds", "kept"), [(290, 1), (310, 0)])
async def test_a_grants_time_is_forgotten_when_none_before_it_can_be_shown(
    border: Border, seconds: int, kept: int
) -> None:
    await border.browser().visit()
    await border.town.owner.execute(
        "UPDATE visit SET granted_at = granted_at - make_interval(secs => $1)", seconds
    )
    assert await forget(border.town).times() == 1 - kept
    assert await border.town.owner.fetchval("SELECT count(granted_at) FROM visit") == kept


async def test_who_comes_again_when_it_is_forgotten_is_newest_and_no_older_word_gets_in(
    border: Border,
) -> None:
    page = await border.browser().visit()
    await border.town.owner.execute("UPDATE visit SET granted_at = granted_at - interval '1 day'")
    await forget(border.town).times()
    # The oldest word that is good at all is younger than what was forgotten.
    late, newest = border.browser(), border.browser()
    now_s = late.now_s
    await late.arrive(iat=now_s - 61, exp=now_s - 1)
    assert (await late.present()).json()["error"] == "invalid_grant"
    said = {"scenarios": ["library", "rent"]}
    again = await newest.visit("library", "rent", iat=now_s - 50, exp=now_s + 10, recognition=said)
    assert await border.town.owner.fetchval(LIVING) == 1
    for browser in (again, page):
        told = (await browser.get("/v1/me/visit")).json()
        assert [each["id"] for each in told["scenarios"]] == ["library", "rent"]
    numbers = await border.town.owner.fetch("SELECT number, reason FROM visit ORDER BY number")
    assert [tuple(row) for row in numbers] == [(1, "replaced"), (2, None)]
    # And the newer word still counts against an older one.
    older = border.browser()
    await older.arrive(iat=now_s - 51, exp=now_s + 9)
    assert (await older.present()).json()["error"] == "invalid_grant"
    assert "older" in await border.refused()


# ------------------------------------------------------------------ in which order


async def test_visitors_of_a_day_that_is_over_are_settled_once_and_others_are_not(
    border: Border,
) -> None:
    for number in range(5):
        await border.browser().visit(sub=f"pairwise-{number}")
    assert await forget(border.town).order() == 0
    await a_day_passes(border.town)
    await border.browser().visit(sub="pairwise-9")
    assert await forget(border.town).order() == 5
    assert await forget(border.town).order() == 0
    # Whose visit ends is settled once more, when that day is over as well.
    page = await border.browser().visit(sub="pairwise-3")
    await page.post("/v1/me/visit/end")
    assert await forget(border.town).order() == 0
    await a_day_passes(border.town)
    assert await forget(border.town).order() == 2  # and who came on that day


async def test_settling_changes_nothing_but_where_rows_lie_and_versions(border: Border) -> None:
    town = border.town
    pages = [await border.browser().visit(sub=f"pairwise-{number}") for number in range(12)]
    await a_day_passes(town)
    tables = ("citizen", "visitor", "visit", "standing")
    before = {table: await rows(town, table) for table in tables}
    await forget(town).order()
    after = {table: await rows(town, table) for table in tables}
    moves = {"is_settled", "version", "digest"}
    for table in tables:
        told = [
            sorted(str({k: v for k, v in row.items() if k not in moves}) for row in dump[table])
            for dump in (before, after)
        ]
        assert told[0] == told[1], table
    assert [row["citizen"] for row in before["visitor"]] != [
        row["citizen"] for row in after["visitor"]
    ]
    old, new = ({row["citizen"]: row["version"] for row in d["standing"]} for d in (before, after))
    assert all(new[citizen] > max(old.values()) for citizen in old)
    assert sorted(old, key=lambda who: old[who]) != sorted(new, key=lambda who: new[who])
    for page in pages:
        assert (await page.get("/v1/me/visit")).json()["live"] is True


async def test_own_citizens_are_never_moved(border: Border) -> None:
    town, own = border.town, await border.town.citizen()
    where = "SELECT ctid FROM {} WHERE {} = $1"
    places = [
        await town.owner.fetchval(where.format(*each), own)
        for each in (("citizen", "id"), ("standing", "citizen"))
    ]
    await town.owner.execute("SELECT visitors_settle(ARRAY[$1::uuid])", own)
    assert places == [
        await town.owner.fetchval(where.format(*each), own)
        for each in (("citizen", "id"), ("standing", "citizen"))
    ]


async def test_who_waits_for_a_standing_that_is_moved_meanwhile_holds_it_afterwards(
    border: Border, other_worker: TestCity
) -> None:
    """A writer that locked nothing would build a standing from rows that another is changing."""
    await border.browser().visit()
    citizen = await border.town.owner.fetchval("SELECT citizen FROM visitor")
    order: list[str] = []

    async def waits(writer: StandingWriter, name: str) -> None:
        async with writer.change(citizen):
            order.append(f"{name} in")
            await asyncio.sleep(0.05)
            order.append(f"{name} out")

    async with border.town.city.writer.change(citizen) as connection:
        waiting = [
            asyncio.create_task(waits(border.town.city.writer, "one")),
            asyncio.create_task(waits(other_worker.city.writer, "other")),
        ]
        await asyncio.sleep(0.1)
        await connection.execute("SELECT visitors_settle(ARRAY[$1::uuid])", citizen)
        assert order == []
    await asyncio.gather(*waiting)
    names = [each.split()[0] for each in order]
    assert names[0] == names[1] != names[2] == names[3]


# ------------------------------------------------------------------ who stays away


async def gone(town: TestCity, days: int) -> UUID:
    """The one visitor's visits ended so long ago, and are forgotten."""
    await town.owner.execute("UPDATE visit SET ended_on = today(), reason = 'status'")
    await a_day_passes(town, days)
    await jobs.purge(town.city)
    found: UUID = await town.owner.fetchval("SELECT citizen FROM visitor")
    return found


async def consent_at_shop(town: TestCity, citizen: UUID) -> UUID:
    await town.party(webhook_url="http://127.0.0.1:9/hook")
    return await town.consent(citizen, scenario="rent")


async def test_a_visitor_who_stays_away_is_let_go_like_an_account_that_ends(border: Border) -> None:
    town = border.town
    await border.browser().visit()
    citizen = await gone(town, ABSENT_DAYS + 1)
    consent = await consent_at_shop(town, citizen)
    assert await forget(town).absent() == 1
    status = "SELECT status FROM consent WHERE id = $1 ORDER BY version DESC LIMIT 1"
    assert await town.owner.fetchval(status, consent) == "withdrawn"
    assert await town.owner.fetchval("SELECT type FROM webhook_message") == "consent.withdrawn"
    assert await rows(town, "visitor") == []
    erased = await town.owner.fetchrow("SELECT * FROM citizen WHERE id = $1", citizen)
    assert erased is not None
    assert (erased["wrapped_key"], erased["erased_at"] is None) == (None, False)
    assert await forget(town).absent() == 0
    # Who comes after that is somebody else here.
    await border.browser().visit()
    assert await town.owner.fetchval("SELECT citizen FROM visitor") != citizen


@pytest.mark.parametrize("days", [31, ABSENT_DAYS])
async def test_who_was_here_within_the_period_stays(border: Border, days: int) -> None:
    await border.browser().visit()
    await gone(border.town, days)
    assert await border.town.owner.fetchval("SELECT left_on FROM visitor") is not None
    assert await forget(border.town).absent() == 0


async def test_who_has_come_again_or_owes_something_stays(border: Border) -> None:
    town = border.town
    await border.browser().visit()
    citizen = await gone(town, ABSENT_DAYS + 1)
    await town.owner.execute(
        "INSERT INTO waiver (id, citizen, entity, deposit_fen, opened_at)"
        " VALUES ('w', $1, $2, 1, now())",
        *(citizen, ENTITY),
    )
    assert await forget(town).absent() == 0
    await town.owner.execute("UPDATE waiver SET settled_at = now()")
    await border.browser().visit()
    assert await forget(town).absent() == 0
    assert len(await rows(town, "visitor")) == 1


async def test_a_visit_that_goes_on_is_never_too_old(border: Border) -> None:
    await border.browser().visit()
    await a_day_passes(border.town, 3 * ABSENT_DAYS)
    await jobs.purge(border.town.city)
    assert await forget(border.town).absent() == 0
    assert await border.town.owner.fetchval(LIVING) == 1


async def test_letting_go_is_bounded(border: Border, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "CLOSED", 2)
    for number in range(3):
        await border.browser().visit(sub=f"pairwise-{number}")
    await gone(border.town, ABSENT_DAYS + 1)
    assert [await forget(border.town).absent() for _ in range(3)] == [2, 1, 0]


# ------------------------------------------------------------------ sessions


async def test_a_visitors_session_is_forgotten_when_it_is_over_and_a_citizens_a_day_later(
    border: Border,
) -> None:
    town = border.town
    await border.browser().visit()
    own = await town.citizen()
    await town.city.sessions.begin(own)
    await jobs.purge(town.city)
    assert len(await rows(town, "session")) == 2
    await town.owner.execute("UPDATE session SET expires_at = now() - interval '1 second'")
    await jobs.purge(town.city)
    assert [row["citizen"] for row in await rows(town, "session")] == [own]
