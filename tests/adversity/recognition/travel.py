"""Visitors between the two live cities: Hangzhou is home, Ningbo is visited, over sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from gateway.local.populate import owned_city
from gateway.score_publication import ScorePublication
from gateway.scores import Scores, today
from gateway.sessions import hash_of
from tests.adversity.recognition.league import WHOSE, cookie_of
from tests.adversity.recognition.watch import Asked, Watched
from tests.gateway.city import TestCity, registry
from tests.gateway.prover import Prover
from tests.pair import Pair, Side, Traveller
from tests.pair.sides import aside

LIBRARY, ENTITY = "example-library-main", "example-library"
AT_ONCE = 8


class Abroad:
    """One visitor: the browser, and who it is in both cities."""

    def __init__(self, pair: Pair, login: str, number: int) -> None:
        self.pair, self.login, self.number = pair, login, number
        self.browser, self.key = Traveller(), Prover()
        self.consent, self.citizen, self.subject = "", UUID(int=0), ""

    def travel(self) -> None:
        """From the visited city's page to a visit there."""
        home, here = self.pair.a, self.pair.b
        wish = {"home": home.code, "scenarios": ["library"], "jkt": self.key.jkt}
        begun = self.browser.http.post(f"{here.base_url}/v1/visits", json=wish)
        # The home city bounds how often another one may ask, which reads as if it were away.
        for _ in range(60):
            if begun.status_code != 424:
                break
            time.sleep(1)
            begun = self.browser.http.post(f"{here.base_url}/v1/visits", json=wish)
        assert begun.status_code == 201, begun.text
        opened = self.browser.http.get(begun.json()["location"])
        back = self.browser.through_form(opened.headers["location"], self.login)
        page = urlsplit(back.headers["location"]).path.rpartition("/")[2]
        shown = self.browser.get(home, f"/v1/me/recognition-requests/{page}").json()
        said = {"text_sha256": shown["text"]["sha256"]}
        allowed = self.browser.post(home, shown["allow"], said)
        assert allowed.status_code == 200, allowed.text
        self.browser.http.get(allowed.json()["location"])
        token = self._step("/v1/visits/token", dpop=self._proof("/oauth/token"))["access_token"]
        proof = self._proof("/v1/visits/session", token=token)
        self._step("/v1/visits/session", authorization=f"DPoP {token}", dpop=proof)
        (held,) = self.browser.get(home, "/v1/me/recognitions").json()["recognitions"]
        self.consent = held["withdraw"].split("/")[-2]
        who = home.rows("SELECT citizen FROM recognition WHERE consent = $1", UUID(self.consent))
        self.at_home = who[0]["citizen"]
        session = cookie_of(self.browser.http, here.base_url, "qianjiang-session")
        self.citizen = here.rows(WHOSE, hash_of(session))[0]["citizen"]

    def _proof(self, path: str, **given: Any) -> str:
        return self.key.proof("POST", self.pair.b.base_url + path, int(time.time()), **given)

    def _step(self, path: str, **fields: str) -> Any:
        answer = self.browser.http.post(self.pair.b.base_url + path, headers=fields)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None


def _at_home(path: str, content: object = None) -> Callable[[Abroad], None]:
    def act(who: Abroad) -> None:
        home = who.pair.a
        answer = who.browser.post(home, path.format(consent=who.consent), content)
        assert answer.status_code in (200, 204), answer.text

    return act


def _close(who: Abroad) -> None:
    told = who.browser.get(who.pair.a, "/v1/me/closure").json()
    _at_home("/v1/me/closure", {"text_sha256": told["text_sha256"]})(who)


#: What a citizen may do at home that ends what was said.
WAYS: dict[str, Callable[[Abroad], None]] = {
    "consent withdrawn": _at_home("/v1/me/consents/{consent}/withdraw"),
    "consent paused": _at_home("/v1/me/consents/{consent}/pause"),
    "score withdrawn": _at_home("/v1/me/score-authorisation", {"status": "withdrawn"}),
    "account closed": _close,
}


def settle(pair: Pair, everybody: list[Abroad]) -> dict[str, Any]:
    """Everybody travels and consents to a library there; an example of its question's facts."""
    with ThreadPoolExecutor(3) as threads:
        for _ in threads.map(Abroad.travel, everybody):
            pass
    here = pair.b
    facts: dict[str, Any] = httpx.get(f"{here.base_url}/v1/scenarios/library").json()["example"]

    async def allow() -> None:
        quiet = msgspec.structs.replace(here.settings, metrics_port=0)
        async with owned_city(here.owner_url, quiet, registry()).running() as city:
            await city.parties.refresh(force=True)
            party = city.parties.get(LIBRARY)
            assert party is not None
            # The owner's own rights are not needed: consents are written as the service writes.
            town = TestCity(city, None)  # type: ignore[arg-type]  # nothing here asks the owner
            for each in everybody:
                await town.consent(each.citizen, recipient=ENTITY, scenario="library")
                await town.commitment(each.citizen, scenario="library")
                sector = party.registrations["library"].view.sector
                each.subject = city.pseudonyms.subject(each.citizen, sector)

    aside(allow())
    return facts


def publish_lower(home: Side, who: list[Abroad]) -> None:
    """What speaks for these citizens is gone, and the night's publication says so."""

    async def publish() -> None:
        quiet = msgspec.structs.replace(home.settings, metrics_port=0)
        async with owned_city(home.owner_url, quiet, registry()).running() as city:
            async with city.database.connection() as connection:
                await connection.execute(
                    "DELETE FROM fact AS f USING citizen AS c"
                    " WHERE f.identity_index = c.identity_index AND c.id = ANY ($1::uuid[])",
                    [each.at_home for each in who],
                )
            scores = Scores(city.vault, city.clock)
            made = ScorePublication(city.database, city.writer, scores, city.clock)
            await made.run(today(city.clock))

    aside(publish())


async def ask(
    pair: Pair, everybody: list[Abroad], facts: dict[str, Any], watched: Watched, over: Event
) -> None:
    """The library asks about everybody, again and again, until it is over."""
    with pair.b.party(LIBRARY) as party:
        fields = dict(party.headers)
    async with httpx.AsyncClient(base_url=pair.b.base_url, headers=fields, timeout=10) as http:

        async def one(who: Abroad) -> None:
            sent = time.monotonic()
            body = {"subject": who.subject, "facts": facts}
            answer = await http.post("/v1/scenarios/library/eligibility", json=body)
            if answer.status_code == 200:
                eligible = answer.json()["outcome"] == "eligible"
                watched.answers.append(Asked(who.number, sent, eligible))
            else:
                assert answer.status_code in (429, 503), answer.text

        while not over.is_set():
            for start in range(0, len(everybody), AT_ONCE):
                await asyncio.gather(*map(one, everybody[start : start + AT_ONCE]))
            await asyncio.sleep(0.1)
