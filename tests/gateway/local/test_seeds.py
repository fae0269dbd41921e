"""The seeds are data that hold together: every name explained, every story told."""

from __future__ import annotations

from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

import gateway
from gateway.clock import SystemClock, shanghai_midnight_after
from gateway.errors import GatewayError
from gateway.identity_number import age_on
from gateway.local import seeds as module
from gateway.local.atlas import HANGZHOU, NINGBO, SUZHOU
from gateway.local.people import NUMBER_MAX
from gateway.local.seeds import Seeds, SeedsMissing, load_seeds, seeds_folder, seeds_of
from gateway.scores import scale_on
from scoring import Fact, band_of, check_row, explain
from scoring.facts import Merit
from tests.gateway.city import registry

TODAY = date(2026, 11, 22)
CITIES = [HANGZHOU, NINGBO, SUZHOU]
#: Suzhou joins later, by what docs/cities.md tells.
PARTNERS = {"330100": {"330200"}, "330200": {"330100"}, "320500": set[str]()}
SCENARIOS = {"rent", "library", "hospital", "points", "recognition"}


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    """Hangzhou."""
    return load_seeds()


@pytest.fixture(params=CITIES, ids=lambda city: city.slug)
def any_seeds(request: pytest.FixtureRequest) -> Seeds:
    """Each city's."""
    return seeds_of(request.param.code)


def test_there_are_parties_of_many_trades(seeds: Seeds) -> None:
    assert len(seeds.parties.party) >= 12
    assert {party.kind for party in seeds.parties.party} == {
        "merchant",
        "library",
        "community",
        "hospital",
        "city",
    }
    served = {scenario for party in seeds.parties.party for scenario in party.scenarios}
    assert served == SCENARIOS


def test_no_party_is_real(any_seeds: Seeds) -> None:
    for party in any_seeds.parties.party:
        assert (party.name[:2], party.id[:8]) == ("示例", "example-")
    for entity in any_seeds.parties.entity:
        assert (entity.name[:2], entity.id[:8]) == ("示例", "example-")
        assert entity.contact.startswith("示例")


def test_cities_of_the_agreement_name_each_other_and_are_not_their_own_partners() -> None:
    for city in CITIES:
        partners = {
            party.city for party in seeds_of(city.code).parties.party if party.kind == "city"
        }
        assert partners == PARTNERS[city.code]


def test_a_city_of_the_agreement_has_people_on_both_sides_of_the_lowest_tier() -> None:
    bands = {persona.band for persona in seeds_of(NINGBO.code).personas}
    assert min(bands - {0}) < 3 <= max(bands)


def test_people_of_different_cities_are_different_people() -> None:
    numbers = [persona.number for city in CITIES for persona in seeds_of(city.code).personas]
    assert len(numbers) == len(set(numbers))


def test_hospitals_act_for_one_operator_that_is_none_of_them(seeds: Seeds) -> None:
    hospitals = [party for party in seeds.parties.party if party.kind == "hospital"]
    assert len({hospital.entity for hospital in hospitals}) == len(hospitals) >= 3
    operators = {hospital.scenarios["hospital"] for hospital in hospitals}
    assert len(operators) == 1
    assert operators.isdisjoint({hospital.entity for hospital in hospitals})


def test_parties_meet_citizens_at_counters_at_devices_and_at_a_shops_door(seeds: Seeds) -> None:
    at_counters = {desk.party for desk in seeds.desks if desk.kind == "counter"}
    assert at_counters == {party.id for party in seeds.parties.party if party.kind != "city"}
    devices = [desk for desk in seeds.desks if desk.kind == "device"]
    assert len(devices) >= 4
    assert any(desk.kind == "counter" and desk.scenario for desk in seeds.desks), "a door"
    for desk in seeds.desks:
        assert desk.place.startswith("示例")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('number = "200303"', 'number = "200202"'),
        ('number = "200303"', ""),
        ('party = "example-camping"', 'party = "nobody"'),
        ('scenario = "library"', 'scenario = "rent"'),
    ],
)
def test_a_desk_that_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    city = tmp_path / "hangzhou"
    city.mkdir()
    for file in (seeds_folder() / "hangzhou").iterdir():
        text = file.read_text("utf-8")
        is_desks = file.name == "desks.toml"
        assert not is_desks or old in text
        (city / file.name).write_text(text.replace(old, new) if is_desks else text, "utf-8")
    monkeypatch.setattr(module, "seeds_folder", lambda: tmp_path)
    with pytest.raises(SeedsMissing):
        load_seeds()


def test_every_persona_is_synthetic_and_none_of_the_generated_people(any_seeds: Seeds) -> None:
    for persona in any_seeds.personas:
        assert persona.identity(TODAY).id_number.startswith("99")
        assert persona.name.startswith("示例")
        assert 9_000_000 < persona.number <= NUMBER_MAX
        assert persona.story.zh
        assert persona.story.en


def test_everybody_can_try_to_sign_in(seeds: Seeds) -> None:
    told = {who.login: who for who in seeds.identities(TODAY)}
    assert set(told) == {persona.login for persona in seeds.personas}
    assert age_on(told["xu"].birthdate, TODAY) < 18
    assert not told["he"].full_capacity
    others = [who for login, who in told.items() if login not in ("xu", "he")]
    assert all(age_on(who.birthdate, TODAY) >= 18 and who.full_capacity for who in others)


def test_every_band_and_every_way_has_a_persona(seeds: Seeds) -> None:
    assert {persona.band for persona in seeds.personas} == {0, 1, 2, 3, 4, 5}
    becomes = {consent.then for persona in seeds.personas for consent in persona.consents}
    assert becomes == {"", "paused", "withdrawn", "declined"}
    for field in ("loans", "cards", "waivers", "advances", "points", "suspensions", "objections"):
        assert any(getattr(persona, field) for persona in seeds.personas), field
    waivers = [waiver for persona in seeds.personas for waiver in persona.waivers]
    assert {waiver.settled_after_days > 0 for waiver in waivers} == {True, False}
    assert any(persona.leave_out for persona in seeds.personas)
    assert any(consent.frequency for persona in seeds.personas for consent in persona.consents)
    assert any(not persona.authorised for persona in seeds.personas)
    assert any(not persona.full_capacity for persona in seeds.personas)
    assert any(persona.record == "erased" for persona in seeds.personas)
    minors = [persona for persona in seeds.personas if persona.born_years_ago]
    assert all(persona.record == "none" for persona in minors)
    assert minors


def test_the_facts_of_each_persona_give_the_band_that_is_said(any_seeds: Seeds) -> None:
    scale = scale_on(TODAY)
    for persona in any_seeds.personas:
        facts = []
        for row in persona.fact_rows(TODAY, scale.catalogue):
            del row["id_number"]
            fact = check_row(row, scale.catalogue, 1)
            assert isinstance(fact, Fact), (persona.login, fact)
            facts.append(fact)
        left_out = frozenset(map(Merit, persona.leave_out))
        told = explain(facts, scale.model, scale.catalogue, TODAY, left_out)
        if persona.record == "kept" and persona.authorised:
            assert band_of(told.score) == persona.band, (persona.login, told.score)


def test_the_day_asks_in_every_scenario_and_meets_every_outcome(seeds: Seeds) -> None:
    asks = [step for step in seeds.day if step.act == "ask"]
    assert len(asks) >= 30
    outcomes = {(step.scenario, step.expected) for step in asks}
    for scenario in SCENARIOS:
        assert {(scenario, "eligible"), (scenario, "standard_path")} <= outcomes
    assert {step.expected for step in asks} == {"eligible", "standard_path", "cannot_assess"}
    assert [step.at for step in seeds.day] == sorted(step.at for step in seeds.day)


def test_a_consent_is_withdrawn_in_the_middle_of_the_day_and_asked_again(seeds: Seeds) -> None:
    told = [(step.act, step.expected) for step in seeds.day if step.party == "example-camping"]
    assert ("withdraw", "") in told
    at = told.index(("withdraw", ""))
    assert told[at - 1] == ("ask", "eligible")
    assert told[at + 1 : at + 4] == [("ask", "standard_path"), ("consent", ""), ("ask", "eligible")]


def test_nobody_is_asked_about_so_often_that_it_looks_like_probing(seeds: Seeds) -> None:
    entity = {party.id: party.entity for party in seeds.parties.party}
    shapes = {
        (entity[step.party], step.persona, step.scenario, str(step.facts))
        for step in seeds.day
        if step.act == "ask"
    }
    assert max(Counter(shape[:3] for shape in shapes).values()) <= 4


def test_facts_of_the_day_are_the_same_all_day_and_valid(seeds: Seeds) -> None:
    now = SystemClock().now_us()
    later = shanghai_midnight_after(now) - 1
    for step in seeds.day:
        facts = step.facts_at(now)
        assert facts == step.facts_at(later)
        if facts is not None:
            raw = msgspec.json.encode(facts)
            msgspec.json.decode(raw, type=registry()[step.scenario].facts_type)


def test_seeds_are_found_in_a_checkout(tmp_path: Path) -> None:
    assert (seeds_folder() / "hangzhou" / "day.toml").is_file()
    with pytest.raises(SeedsMissing, match="atlantis"):
        load_seeds("atlantis")


def test_seeds_are_found_in_an_installed_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "seeds"
    inside.mkdir()
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    assert seeds_folder() == inside
    assert files("gateway.local") / "seeds" != inside


def test_without_seeds_it_is_said_where_they_were_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    monkeypatch.setattr(gateway, "__file__", str(tmp_path / "gateway" / "__init__.py"))
    with pytest.raises(SeedsMissing, match="no seeds at"):
        seeds_folder()


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("day.toml", 'persona = "lin"', 'persona = "nobody"', "nobody"),
        ("day.toml", 'party = "example-bikes"', 'party = "example-library-main"', "not ask"),
        ("day.toml", 'expected = "eligible"', 'expected = "maybe"', "maybe"),
        ("day.toml", 'expected = "eligible"', "", "odd"),
        ("personas.toml", "number = 9000002", "number = 9000001", "used twice"),
        ("personas.toml", 'login = "wang"', 'login = "lin"', "used twice"),
        ("personas.toml", "authorised = false", "autorised = false", "autorised"),
        ("parties.toml", 'kind = "merchant"', 'kind = "bank"', "bank"),
    ],
)
def test_a_slip_in_the_data_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, told: str
) -> None:
    city = tmp_path / "seeds" / "hangzhou"
    city.mkdir(parents=True)
    for name in ("day.toml", "desks.toml", "personas.toml", "parties.toml"):
        text = (seeds_folder() / "hangzhou" / name).read_text("utf-8")
        if name == file:
            assert old in text
            text = text.replace(old, new, 1)
        (city / name).write_text(text, "utf-8")
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    with pytest.raises(GatewayError, match=told):
        load_seeds()
