"""What keeping my word gave me: what is on file, to the fen, and nothing more."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from uuid import UUID

from gateway.benefits import LINES_MAX
from gateway.clock import DAY_US, SHANGHAI, from_us, to_us
from gateway.store import city_fact as rows
from gateway.store.city_fact import Waiver
from gateway.store.migrate import Connection
from tests.gateway.citizens.browser import Browser
from tests.gateway.city import ENTITY, MERCHANT, TestCity

PATH = "/v1/me/benefits"
NOTHING = {
    "total_fen": 0,
    "settled_fen": 0,
    "open_fen": 0,
    "times": 0,
    "settled_times": 0,
    "open_times": 0,
    "lines": [],
    "more": False,
}


async def me(owner: Connection) -> UUID:
    citizen: UUID = await owner.fetchval("SELECT id FROM citizen")
    return citizen


async def test_a_stranger_has_kept_no_word(browser: Browser) -> None:
    assert (await browser.get(PATH)).status_code == 401
    await browser.log_in()
    answer = await browser.get(PATH)
    assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert answer.headers["cache-control"] == "no-store"


async def test_another_citizens_deposits_are_not_mine(
    browser: Browser, other: Browser, owner: Connection
) -> None:
    await browser.log_in("lin")
    await rows.put(owner, [Waiver(await me(owner), "w", ENTITY, 19_900, 0)])
    await other.log_in("mei")
    assert (await other.get(PATH)).json() == NOTHING
    assert (await browser.get(PATH)).json()["total_fen"] == 19_900


async def test_every_fen_is_of_a_row(browser: Browser, town: TestCity, owner: Connection) -> None:
    await town.party()
    await town.party("flats", entity="flats-ltd")
    await browser.log_in()
    draw, now, citizen = random.Random(7), town.city.clock.now_us(), await me(owner)
    waivers = []
    for number in range(60):
        opened = now - draw.randrange(400) * DAY_US
        settled = opened + DAY_US if draw.random() < 0.7 else None
        entity = draw.choice([ENTITY, "flats-ltd", "of-nobody"])
        fen = draw.randrange(500_000)
        waivers.append(Waiver(citizen, f"w{number}", entity, fen, opened, settled))
    await rows.put(owner, waivers)
    told = (await browser.get(PATH)).json()
    back = [each for each in waivers if each.settled_us is not None]
    assert told["total_fen"] == sum(each.deposit_fen for each in waivers)
    assert told["settled_fen"] == sum(each.deposit_fen for each in back)
    assert told["open_fen"] == told["total_fen"] - told["settled_fen"]
    assert (told["times"], told["settled_times"]) == (60, len(back))
    assert told["open_times"] == 60 - len(back)
    by: Counter[tuple[str, str]] = Counter()
    for each in waivers:
        day = from_us(each.opened_us).astimezone(SHANGHAI)
        by[day.strftime("%Y-%m"), each.entity] += each.deposit_fen
    lines = [(line["month"], line["entity"], line["deposit_fen"]) for line in told["lines"]]
    assert sorted(lines) == sorted((*key, fen) for key, fen in by.items())
    months = [line["month"] for line in told["lines"]]
    assert months == sorted(months, reverse=True)
    assert sum(line["times"] for line in told["lines"]) == 60


async def test_a_month_is_one_of_hangzhou(browser: Browser, owner: Connection) -> None:
    await browser.log_in()
    citizen = await me(owner)
    for moment in ("2026-05-31T15:59:59Z", "2026-05-31T16:00:00Z"):
        at = to_us(datetime.fromisoformat(moment))
        await rows.put(owner, [Waiver(citizen, moment, ENTITY, 100, at, at)])
    lines = (await browser.get(PATH)).json()["lines"]
    assert [line["month"] for line in lines] == ["2026-06", "2026-05"]


async def test_lines_are_bounded_and_sums_are_not(browser: Browser, owner: Connection) -> None:
    await browser.log_in()
    citizen = await me(owner)
    many = [
        Waiver(citizen, f"w{number}", f"e{number}", 100, number * 31 * DAY_US)
        for number in range(LINES_MAX + 5)
    ]
    await rows.put(owner, many)
    told = (await browser.get(PATH)).json()
    assert (len(told["lines"]), told["more"]) == (LINES_MAX, True)
    assert told["total_fen"] == 100 * (LINES_MAX + 5)
    assert told["lines"][0]["entity"] == f"e{LINES_MAX + 4}", "the newest first"


async def test_no_party_learns_of_it(town: TestCity, browser: Browser) -> None:
    await town.party()
    token = town.city.tokens.issue(town.principal(MERCHANT).party, "k1", ["scenario:rent"]).token
    answer = await browser.page.get(PATH, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
