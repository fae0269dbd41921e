"""Where a good name counts: each scenario open or what is missing, and who offers it."""

from __future__ import annotations

import enum
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.city import City
from gateway.consent_rules import state
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.my_scenarios import figures
from gateway.offers import Look, Prospects
from gateway.openness import Remedy
from gateway.recognition.visits import Visit
from gateway.web import amounts
from gateway.web.catalogue import Language
from gateway.web.consents import cards, pauses
from gateway.web.render import PAGE, asked, language_for, page
from scenarios.manifest import Manifest
from scenarios.units import Unit
from scenarios.universal import ClauseInfo

#: The city's own five come first, then the others by id.
FIRST: Final = ("rent", "library", "hospital", "points", "recognition")
#: What the page says in one line after something was decided.
DONE: Final = frozenset({"granted", "ordinary"})

_WORDS_MAX = 64


class Say(enum.Enum):
    """The citizen's word on the score."""

    NONE = "none"
    GIVEN = "given"
    ELSEWHERE = "elsewhere"  # a visitor's: the score, if any, is the home city's


class Lack(msgspec.Struct, frozen=True):
    """A clause that is not met; `way` leads to what the citizen can do, named by `act`."""

    clause: ClauseInfo
    act: str | None = None
    way: str | None = None


@get("/app/scenarios", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def listed(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Every scenario; `q` leaves those whose words hold it."""
    city, citizen = city_of(request), citizen_of(request)
    wanted = _words(request)
    say = await say_of(city, citizen)
    visit = await city.visiting.visits.of(citizen)
    found = [
        (each, lacks(each, each.look, say))
        for each in sorted(await city.offers.overview(citizen), key=_place)
        if visit is None or _is_for(visit, each)
    ]
    return page(
        request,
        "scenarios.html",
        q=wanted,
        scenarios=[(each, lack, _searched(each)) for each, lack in found],
        shown=[_holds(each, wanted) for each, _ in found],
    )


@get(
    "/app/scenarios/{scenario:str}",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    include_in_schema=False,
)
async def one(request: Request[Any, Any, Any], scenario: FromPath[str]) -> Response[bytes]:
    """One scenario whole; `q` looks for parties, `done` says what has just been decided."""
    city, citizen = city_of(request), citizen_of(request)
    wanted, done = _words(request), asked(request).get("done", "")
    prospects, offers = await city.offers.of(citizen, scenario, wanted)
    say = await say_of(city, citizen)
    language = language_for(request)
    manifest = prospects.prospect.compiled.manifest
    mine = {each.consent.id for each in prospects.consents}
    return page(
        request,
        "scenario.html",
        q=wanted,
        done=_done(done, prospects),
        scenario=prospects,
        manifest=manifest,
        lacks_of_mine=lacks(prospects, prospects.look, say),
        example=amounts.facts(manifest, prospects.look.example.sent, city.registry, language),
        needs_notice=needs_notice(manifest, say),
        label=lambda figure: amounts.label(getattr(figure, language), Unit(figure.unit), language),
        owner=_owner(manifest, language),
        figures=_figures(city, manifest, language),
        cards=[each for each in await cards(city, citizen) if each.id in mine],
        pauses=pauses(city.clock.now_us()),
        offered=[
            (
                each,
                lacks(prospects, each.look, say),
                _allowed(each.held),
                _asking(city, scenario, each.offer.entity),
            )
            for each in offers.offered
        ],
        more=offers.more,
    )


def lacks(prospects: Prospects, look: Look, say: Say) -> list[Lack]:
    """What is missing at one party, with the way to each remedy."""
    scenario = prospects.prospect.compiled.id
    return [
        Lack(missing.clause, *_way(missing.remedy, scenario, prospects, say))
        for missing in look.openness.missing
    ]


def needs_notice(manifest: Manifest, say: Say) -> bool:
    """Whether the notice on the score comes first: the rule reads the band and there is no word."""
    return "band" in manifest.reads and say is Say.NONE


def _way(
    remedy: Remedy | None, scenario: str, prospects: Prospects, say: Say
) -> tuple[str | None, str | None]:
    here = f"/app/scenarios/{scenario}"
    match remedy:
        case Remedy.CONSENT:
            paused = [held for held in prospects.consents if state(held.consent) == "paused"]
            if paused:
                return "resume", f"/app/consents/{paused[0].consent.id}"
            return "consent", f"{here}#parties"
        case Remedy.PROMISE:
            return "promise", new_promise(scenario, None, here)
        case Remedy.SCORE if say is Say.NONE:
            return "notice", "/app/notice?" + urlencode({"then": here})
        case Remedy.SCORE if say is Say.GIVEN:
            return "score", "/app/score"
        case Remedy.FREQUENCY if prospects.consents:
            return "frequency", f"/app/consents/{prospects.consents[0].consent.id}"
    return None, None


def new_promise(scenario: str, party: str | None, then: str) -> str:
    """The page where a scenario's promise is read and signed, and where it goes on."""
    wanted = {"scenario": scenario} | ({"party": party} if party else {}) | {"then": then}
    return "/app/commitments/new?" + urlencode(wanted)


async def say_of(city: City, citizen: UUID) -> Say:
    """The citizen's word on the score."""
    if await city.visiting.visits.of(citizen) is not None:
        return Say.ELSEWHERE
    said = await city.authorisations.current(citizen)
    return Say.GIVEN if said is not None and said.status == "given" else Say.NONE


def _is_for(visit: Visit, prospects: Prospects) -> bool:
    """Whether a visit is for a scenario: the others are not open to its visitor."""
    return visit.row is not None and prospects.prospect.compiled.id in visit.row.scenarios


def _allowed(held: Any) -> str | None:
    return None if held is None else state(held.consent)


def _figures(
    city: City, manifest: Manifest, language: Language
) -> list[tuple[Any, str, list[tuple[str, str]]]]:
    """Each figure with its value in words, or with one for each band."""
    found = []
    for figure in figures(manifest, city.clock.now_us()):
        unit = Unit(figure.unit)
        bands = (
            amounts.by_band(figure.value, unit, city.registry, language) if figure.by_band else []
        )
        value = "" if bands else amounts.amount(figure.value, unit, city.registry, language)
        found.append((figure, value, bands))
    return found


def _asking(city: City, scenario: str, entity: str) -> int:
    """How many parties ask on behalf of a recipient: enabling one of them enables all."""
    # A community may be called like an entity: the recipient itself is compared.
    return sum(
        party.registrations[scenario].recipient.entity == entity
        for party in city.parties.offering(scenario, entity)
    )


def _owner(manifest: Manifest, language: Language) -> str:
    """Who answers for a scenario, in the reader's language where the manifest says it in both:
    Chinese, a stroke, English."""
    chinese, _, english = manifest.owner.partition(" / ")
    return chinese if language == "zh" or not english else english


def _done(said: str, prospects: Prospects) -> str:
    """Which line tells what has just been decided: the consent, with or without its promise."""
    if said == "granted" and prospects.look.openness.asks_for_a_promise:
        return "unpromised"
    if said == "granted" and prospects.committed:
        return "promised"
    return said if said in DONE else ""


def _place(prospects: Prospects) -> tuple[int, str]:
    scenario = prospects.prospect.compiled.id
    return (FIRST.index(scenario) if scenario in FIRST else len(FIRST)), scenario


def _words(request: Request[Any, Any, Any]) -> str:
    return asked(request).get("q", "").strip()[:_WORDS_MAX]


def _searched(prospects: Prospects) -> str:
    """All words by which a scenario is found, in both languages."""
    manifest = prospects.prospect.compiled.manifest
    texts = (manifest.title, manifest.summary)
    return " ".join(
        [manifest.id, *(each.zh for each in texts), *(each.en for each in texts)]
    ).lower()


def _holds(prospects: Prospects, words: str) -> bool:
    searched = _searched(prospects)
    return all(word in searched for word in words.lower().split())


HANDLERS: list[HTTPRouteHandler] = [listed, one]
