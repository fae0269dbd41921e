"""A citizen's still over HTTP: strangers first, then only a desk of this city leads anywhere."""

from __future__ import annotations

import httpx
import pytest
import segno

from gateway.still import BYTES_MAX
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.desks import open_desk

STILLS = "/v1/me/stills"
PIXELS = {"content-type": "application/octet-stream"}


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


def picture(text: str) -> tuple[int, bytes]:
    rows = list(segno.make(text, micro=False).matrix_iter(scale=5, border=4))
    return len(rows), bytes(0 if dark else 255 for row in rows for dark in row)


async def sent(
    client: httpx.AsyncClient, width: object, grey: bytes, **head: str
) -> httpx.Response:
    return await client.post(STILLS, params={"width": str(width)}, content=grey,
                             headers=PIXELS | head)  # fmt: skip


async def test_a_stranger_and_a_party_get_nowhere(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await sent(client, *picture("x"))).status_code == 401


async def test_only_a_desks_code_leads_somewhere(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    token = await open_desk(callers.town, "200202", scenario="rent")
    link = callers.town.city.desks.link("200202")
    assert body(await sent(me, *picture(link))) == {"desk": f"/app/desk/{token}", "found": True}
    for other in (
        "https://evil.example/app/desk/" + token,
        link[:-1] + ("B" if link[-1] == "A" else "A"),
        "A" * 32,
    ):
        assert body(await sent(me, *picture(other))) == {"desk": None, "found": True}
    assert body(await sent(me, 100, bytes(10_000))) == {"desk": None, "found": False}


async def test_a_body_that_is_no_still_is_a_problem(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    width, grey = picture("x")
    for wrong in ("", "x", "-9", "0", "31", "641", "1e3", "٣٢٠", "9" * 5):
        assert (await sent(me, wrong, grey)).status_code == 400, wrong
    assert (await me.post(STILLS, content=grey, headers=PIXELS)).status_code == 400
    twice = await me.post(f"{STILLS}?width=100&width=100", content=bytes(10_000), headers=PIXELS)
    assert twice.status_code == 400
    for body_of in (b"", grey[:-1], grey + b"x", bytes(10)):
        assert (await sent(me, width, body_of)).status_code == 400
    assert (await sent(me, 640, bytes(BYTES_MAX + 1))).status_code == 413
    for media in ("application/json", "text/plain", "image/png"):
        answer = await sent(me, width, grey, **{"content-type": media})
        assert answer.status_code == 415, media
