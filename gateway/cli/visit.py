"""`qianjiang visit`: a citizen of another city comes, is asked about, and ends it at home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from gateway.cli._itinerary import check_admitted, check_login, check_way
from gateway.cli._stages import stages
from gateway.cli._which import up_options
from gateway.clock import SystemClock
from gateway.local import upfile
from gateway.local.atlas import demo_city
from gateway.local.between import Between
from gateway.local.day import Day, Played
from gateway.local.seeds import seeds_of
from gateway.local.steps import Step
from gateway.local.troupe import Player
from gateway.tokens import SCOPE_PREFIX
from gateway.working_days import calendar
from scenarios.registry import load_registry


@click.command()
@click.argument("login")
@click.option("--home", required=True, help="Where LOGIN is at home: six digits of GB/T 2260.")
@click.option("--scenario", default="library", show_default=True, help="What the visit is for.")
@click.option("--party", help="Who asks there. [default: the first that asks about the scenario]")
@click.option(
    "--take-back",
    is_flag=True,
    help="Withdraw it at home in the end, and wait until the city answers otherwise.",
)
@up_options
def command(
    login: str, home: str, scenario: str, party: str | None, take_back: bool, up: Path
) -> None:
    """Let LOGIN of another city visit the city that is up, without a browser.

    What the pages do is done by the contract: to the home city and back, the consent that a party
    asks for, the promise where the scenario wants one, and the question.
    """
    visited = upfile.read(up)
    if visited.operator is None:
        raise upfile.NotUp(f"{up} does not say which city it is; run `make up` again")
    code, home = visited.operator.city, demo_city(home).code
    trip = _Trip(login, home, code, scenario, _asker(visited, scenario, party))
    check_way(visited.operator, home, scenario)
    check_login(login, home)
    check_admitted(code, home)
    steps = list(trip.steps(take_back=take_back))
    with stages(Console()) as tell, Player("counter") as counter, Player("people") as people:
        keys = [{"client_id": each.client_id, "jwk": each.jwk} for each in visited.parties]
        counter.do("open", base_url=visited.base_url, parties=keys)
        people.do("open", base_url=visited.base_url)
        day = Day(seeds_of(code), {}, counter, people)
        play = Between(steps, {code: day}, {code: people}, tell)
        for played in play.play(SystemClock().now_us()):
            click.echo(_told(played))
            if not played.as_expected:
                raise click.ClickException(_trouble(played, code, home))


def _asker(visited: upfile.UpFile, scenario: str, party: str | None) -> str:
    """The party that asks.

    Raises:
        NotUp: there is none for that scenario, none of that name, or it does not ask about that.
    """
    scope = SCOPE_PREFIX + scenario
    asking = [each.client_id for each in visited.parties if scope in each.scopes]
    if not asking:
        known = {each.removeprefix(SCOPE_PREFIX) for one in visited.parties for each in one.scopes}
        raise upfile.NotUp(
            f"nobody at {visited.base_url} asks about {scenario!r}; they ask about "
            f"{', '.join(sorted(known)) or 'nothing'}"
        )
    if party is None:
        return asking[0]
    if visited.party(party).client_id not in asking:
        raise upfile.NotUp(
            f"--party {party} does not ask about {scenario!r}; there ask: {', '.join(asking)}"
        )
    return party


class _Trip(msgspec.Struct, frozen=True):
    """Who goes where from where, what for, and who asks there; cities by their codes."""

    login: str
    home: str
    city: str
    scenario: str
    party: str

    def steps(self, *, take_back: bool) -> Iterator[Step]:
        """What is played, each step with the words that tell it."""
        asked = {"party": self.party, "scenario": self.scenario}
        question = f"{self.party} asks about {self.scenario}"
        yield self._step(
            f"{self.login} goes to {self.home} and comes back for {self.scenario}",
            act="visit",
            home=self.home,
            scenarios=(self.scenario,),
            expected="arrived",
        )
        yield self._step(f"{self.party} asks for consent", act="consent", **asked)
        compiled = load_registry(calendar()).get(self.scenario)
        if compiled is not None and compiled.manifest.commitment is not None:
            yield self._step(f"{self.login} signs the promise", act="sign", scenario=self.scenario)
        yield self._step(question, act="ask", expected="eligible", **asked)
        if take_back:
            yield self._step(f"{self.login} withdraws it at home", act="take_back", home=self.home)
            yield self._step(question, act="lapse", expected="standard_path", **asked)

    def _step(self, words: str, **given: Any) -> Step:
        return Step(at="", persona=self.login, city=self.city, zh=words, en=words, **given)


def _told(played: Played) -> str:
    step = played.step
    after = ""
    if step.act == "lapse" and played.took_ms is not None:
        after = f", {played.took_ms / 1000:.1f} s after the withdrawal"
    return f"{step.en}: {played.actual}{after}"


def _trouble(played: Played, code: str, home: str) -> str:
    if played.actual == "nothing_open":
        return (
            "the home city has nothing to say of this citizen for that; its page at "
            "/app/recognition/… says to the citizen what is missing"
        )
    if "visit-refused" in played.trouble:
        # Of the reasons that a home city has, the commonest; only its own operators know which.
        ask = f"has {home} admitted {code}? There: `qianjiang cities admit {code}`"
        return f"{played.trouble}\n{ask}"
    return played.trouble or f"{played.step.expected} was expected"
