"""A camera's still at the counter: the citizen's code, and nothing else that is on it."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.pictures import Picture, of_code
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.counter.customer import Customer, ask

STILLS = "/v1/counter/stills"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


async def send(client: httpx.AsyncClient, seen: Picture) -> httpx.Response:
    return await client.post(
        STILLS,
        params={"width": str(seen.width)},
        content=b"".join(seen.rows),
        headers={"content-type": "application/octet-stream"},
    )


async def test_strangers_and_citizens_show_it_nothing(callers: Callers) -> None:
    citizen = await callers.citizen(await callers.town.citizen())
    for client in (callers.stranger(), callers.party(), citizen):
        assert (await send(client, of_code("A" * 32))).status_code == 401


async def test_a_code_on_a_still_is_read_and_works(callers: Callers) -> None:
    clerk = await callers.clerk()
    code = await Customer(callers, await callers.town.ready()).code()
    for seen in (of_code(code), of_code(code).inverted()):
        assert body(await send(clerk, seen)) == {"code": code, "found": True}
    assert body(await ask(clerk, callers.town, code=code))["outcome"] == "eligible"


@pytest.mark.parametrize("text", ["https://evil.example/", "A" * 31, "A" * 33, "123456789"])
async def test_another_code_is_none_of_ours(callers: Callers, text: str) -> None:
    clerk = await callers.clerk()
    assert body(await send(clerk, of_code(text))) == {"code": None, "found": True}


async def test_a_still_without_a_code_and_one_that_is_none(callers: Callers) -> None:
    clerk = await callers.clerk()
    wall = Picture([bytes([150]) * 64] * 48)
    assert body(await send(clerk, wall)) == {"code": None, "found": False}
    for params, content in (
        ({}, b"x" * 4096),
        ({"width": "64"}, b""),
        ({"width": "64"}, b"x" * 65),
        ({"width": "99999"}, b"x"),
    ):
        answer = await clerk.post(
            STILLS,
            params=params,
            content=content,
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code == 400, (params, len(content))
