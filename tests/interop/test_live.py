"""A city of another implementation and this gateway recognise each other, in both directions."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.gateway.prover import Prover
from tests.interop import third
from tests.interop.node import Node
from tests.pair import Pair, Side, Traveller
from tests.protocol import schemas


def allowed(traveller: Traveller, side: Side, location: str, login: str) -> str:
    """The citizen signs in afresh at home and allows; where the browser goes then."""
    opened = traveller.http.get(location)
    assert opened.status_code == 303, opened.text
    back = traveller.through_form(opened.headers["location"], login)
    page = urlsplit(back.headers["location"]).path
    asked = f"/v1/me/recognition-requests/{page.rpartition('/')[2]}"
    shown = traveller.get(side, asked).json()
    consent = {"text_sha256": shown["text"]["sha256"]}
    answer = traveller.post(side, shown["allow"], consent)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["location"])


def test_our_citizen_is_recognised_by_another_implementation_until_the_consent_ends(
    pair: Pair, node: Node
) -> None:
    side, wanted = pair.a, ["library", "rent"]
    login = side.person(band=5)
    with (
        third.joined(pair, side, third.NOWHERE),
        node.talk("visited.mjs") as visited,
        Traveller() as traveller,
    ):
        begun = visited.ask(third.as_visited(pair, side, wanted))
        location = allowed(traveller, side, begun["location"], login)
        done = visited.ask({"returned": location})
        assert (done["opened"]["home"], done["opened"]["scenarios"]) == (side.code, wanted)
        # The lowest that both need, of a citizen of the highest.
        assert done["opened"]["tier"] == "T1"
        assert schemas.is_valid("grant", done["claims"])
        assert visited.ask({}) == {"bit": 0}
        (held,) = traveller.get(side, "/v1/me/recognitions").json()["recognitions"]
        assert traveller.post(side, held["withdraw"]).status_code == 200
        acknowledged = time.monotonic()
        while visited.ask({}) == {"bit": 0}:
            assert time.monotonic() - acknowledged < 5  # section 8.2
            time.sleep(0.2)


def test_its_citizen_is_a_visitor_here_until_it_takes_the_word_back(pair: Pair, node: Node) -> None:
    side = pair.a
    with node.talk("home.mjs") as home, Visitor(side) as visitor:
        told = home.ask({"schemas": str(schemas.FOLDER), "code": third.CODE, "host": "127.0.0.5"})
        with third.joined(pair, side, told["issuer"], told["keys"]):
            home.ask({"trust": third.given(pair, side)})
            visitor.arrive("library")
            assert visitor.visit()["live"] is True
            home.ask({"withdraw": True})
            taken_back = time.monotonic()
            while visitor.visit()["live"]:
                assert time.monotonic() - taken_back < 60  # section 8.6
                time.sleep(0.5)


class Visitor:
    """A browser that visits a city, with a key of its own."""

    def __init__(self, side: Side) -> None:
        self.side, self.key = side, Prover()
        self.http = httpx.Client(base_url=side.base_url, headers={"origin": side.base_url})

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def proof(self, path: str, **given: Any) -> str:
        return self.key.proof("POST", self.side.base_url + path, int(time.time()), **given)

    def arrive(self, *scenarios: str) -> None:
        """To the home city, back, and in."""
        wish = {"home": third.CODE, "scenarios": scenarios, "jkt": self.key.jkt}
        begun = self.http.post("/v1/visits", json=wish)
        assert begun.status_code == 201, begun.text
        sent = httpx.get(begun.json()["location"])
        assert sent.status_code == 303, sent.text
        back = self.http.get(sent.headers["location"])
        assert back.headers["location"] == "/app/visit/arrive", back.headers
        shown = self.http.post("/v1/visits/token", headers={"dpop": self.proof("/oauth/token")})
        assert shown.status_code == 200, shown.text
        token = shown.json()["access_token"]
        made = self.proof("/v1/visits/session", token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": made}
        assert self.http.post("/v1/visits/session", headers=headers).status_code == 204

    def visit(self) -> Any:
        """What the visitor reads of the visit."""
        return self.http.get("/v1/me/visit").json()
