"""Two cities of another implementation recognise each other: what plays against us is honest."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.interop import region as regions
from tests.interop.node import Node, Talk
from tests.protocol import schemas
from tests.protocol.making.agreements import statement
from tests.protocol.making.world import SCHEME_NAME, A, B, entry, key, scheme

HERE = "http://127.0.0.1:9"  # the visited city serves nothing here


def addressed(code: str, issuer: str, **changes: Any) -> dict[str, Any]:
    """A city's entry at an address."""
    endpoints = {name: f"{issuer}/oauth/{name}" for name in ("par", "authorize", "token")}
    moved = {
        "issuer": issuer,
        "endpoints": endpoints,
        "redirect_uris": [f"{issuer}/recognition/callback"],
    }
    return entry(code, **(moved | changes))


def sign_up(region: regions.Region, told: dict[str, Any]) -> None:
    """Both cities are in the list, and have agreed."""
    issuers = {A: told["issuer"], B: HERE}
    region.cities = [addressed(A, issuers[A], keys=told["keys"]), addressed(B, issuers[B])]
    terms = {"scheme": SCHEME_NAME, "aud": region.address, "iat": int(time.time())}
    said = [
        statement(
            code, n, **(terms | {"iss": issuers[code], "from": "2026-01-01", "to": "2099-01-01"})
        )
        for code in (A, B)
        for n in (1, 2)
    ]
    region.agreements = [{"id": "hangzhou-ningbo-1", "statements": said}]


def visitor_of(region: regions.Region, scenarios: list[str]) -> dict[str, Any]:
    """What the visited city is told."""
    return {
        "schemas": str(schemas.FOLDER),
        "region": region.pinned,
        "list": region.url,
        "code": B,
        "home": A,
        "issuer": HERE,
        "redirect_uri": f"{HERE}/recognition/callback",
        "client": key(B, "client").secret,
        "scenarios": scenarios,
        "scheme": scheme(),
    }


def opened_home(home: Talk, region: regions.Region) -> None:
    told = home.ask({"schemas": str(schemas.FOLDER), "code": A, "host": "127.0.0.1"})
    sign_up(region, told)
    home.ask({"trust": {"region": region.pinned, "list": region.url, "scheme": scheme()}})


def returned(location: str) -> str:
    """The browser goes there and is sent back."""
    answer = httpx.get(location)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize(
    ("scenarios", "tier", "band", "limits"),
    [(["library"], "T1", 2, {}), (["library", "rent"], "T2", 4, {"rent": 50_000})],
)
def test_a_visitor_is_accepted_until_the_home_city_takes_it_back(
    node: Node, scenarios: list[str], tier: str, band: int, limits: dict[str, int]
) -> None:
    with (
        regions.serving() as region,
        node.talk("home.mjs") as home,
        node.talk("visited.mjs") as visited,
    ):
        opened_home(home, region)
        begun = visited.ask(visitor_of(region, scenarios))
        assert begun["open"]["scenarios"] == ["library", "rent"]
        done = visited.ask({"returned": returned(begun["location"])})
        assert done["opened"] == {
            "home": A,
            "tier": tier,
            "band": band,
            "scenarios": scenarios,
            "limits": limits,
        }
        assert schemas.is_valid("grant", done["claims"])
        assert visited.ask({}) == {"bit": 0}
        home.ask({"withdraw": True})
        assert visited.ask({}) == {"bit": 1}


def test_a_request_is_opened_once(node: Node) -> None:
    with (
        regions.serving() as region,
        node.talk("home.mjs") as home,
        node.talk("visited.mjs") as visited,
    ):
        opened_home(home, region)
        location = visited.ask(visitor_of(region, ["library"]))["location"]
        assert httpx.get(location).status_code == 303
        assert httpx.get(location).json() == {"error": "invalid_request"}


def test_an_answer_of_another_city_is_not_taken(node: Node) -> None:
    with (
        regions.serving() as region,
        node.talk("home.mjs") as home,
        node.talk("visited.mjs") as visited,
    ):
        opened_home(home, region)
        begun = visited.ask(visitor_of(region, ["library"]))
        back = httpx.URL(returned(begun["location"])).copy_set_param("iss", "http://127.0.0.1:8")
        visited.say({"returned": str(back)})
        with pytest.raises(AssertionError, match="iss"):
            visited.hear()
