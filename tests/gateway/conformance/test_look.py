"""A good city passes every check, and each thing that is wrong with one fails exactly its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from gateway.conformance.asking import Asker
from gateway.conformance.checks import CHECKS
from gateway.conformance.look import Place, look
from gateway.conformance.report import Finding, Result
from tests.docs.pages import ROOT
from tests.gateway.conformance.town import ENTRIES, Country
from tests.gateway.recognition.region import TestRegion

Spoil = Callable[[Country], object]


@pytest.fixture
def country() -> Iterator[Country]:
    with Country().open() as opened:
        yield opened


def seen(country: Country, *, asker: str | None = "330200", **given: str) -> dict[str, Finding]:
    """What is found at the town, by the city that asks."""
    place = Place(
        list_url=country.region.url,
        region=country.region.region(),
        asker=_asker(country, asker) if asker else None,
        loopback=True,
    )
    return {each.name: each for each in look(country.town.issuer, place, **given)}


def _asker(country: Country, code: str) -> Asker:
    (city,) = [each for each in country.region.cities if each.code == code]
    (key,) = [each for each in city.keys if each[0] == "client"]
    return Asker(code, key[1], key[2])


def failed(found: dict[str, Finding]) -> set[str]:
    return {name for name, each in found.items() if each.result is Result.FAIL}


def skipped(found: dict[str, Finding]) -> set[str]:
    return {name for name, each in found.items() if each.result is Result.SKIPPED}


def test_a_good_city_passes_every_check_there_is(country: Country) -> None:
    found = seen(country)
    assert [each for each in found.values() if each.result is not Result.PASS] == []
    assert list(found) == list(CHECKS)


def _spoilt(*faults: str) -> Spoil:
    return lambda country: country.town.spoilt.update(faults)


def _metadata(**members: object) -> Spoil:
    return lambda country: country.town.metadata.update(members)


def _listed(**changes: Callable[[int], object]) -> Spoil:
    return lambda country: country.town.listed.update(changes)


def _share_a_key(country: Country) -> None:
    partner = country.partner.city
    theirs = [each for each in partner.keys if each[0] == "grant"]
    country.town.city.keys = [
        each for each in country.town.city.keys if each[0] != "grant"
    ] + theirs
    # The partner is left out with it, so the town has none that could ask.


def _entry(**changes: object) -> Spoil:
    return lambda country: country.town.city.changes.update(changes)


#: What the region's list says of a city, whether that answers or not.
LISTS = ("list.good", "list.entry", "list.keys")


def _set(name: str, value: object) -> Spoil:
    return lambda country: setattr(country.town, name, value)


def _instead(path: str, status: int) -> Spoil:
    return lambda country: country.town.instead.update({path: status})


ELSEWHERE = "https://elsewhere.example"
FAULTS: dict[str, tuple[Spoil, set[str]]] = {
    "an entry with another scheme": (
        _entry(schemes=[{"id": "another-table", "version": 1}]),
        # Without a scheme that both have nothing is open, and so no request is taken.
        {"agreements.scheme"},
    ),
    "a scheme that was altered": (_spoilt("scheme"), {"schemes.published"}),
    "an issuer with a slash": (_metadata(issuer="http://127.0.0.1/"), {"metadata.issuer"}),
    "another token endpoint": (_metadata(token_endpoint=ELSEWHERE), {"metadata.endpoints"}),
    "PKCE by plain on offer": (
        _metadata(code_challenge_methods_supported=["S256", "plain"]),
        {"metadata.members"},
    ),
    "no issuer in its answers": (
        _metadata(authorization_response_iss_parameter_supported=False),
        {"metadata.members"},
    ),
    "requests that nobody signed": (_spoilt("par-open"), {"par.client"}),
    "forged assertions": (
        _spoilt("forged"),
        {"par.forged", "asking.audience", "asking.expired"},
    ),
    "codes without a client": (_spoilt("code-open"), {"token.client"}),
    "any grant": (_spoilt("assertion"), {"token.bearer"}),
    "passwords": (_spoilt("grant_type"), {"token.grant_type"}),
    "a fault of its own": (_spoilt("crash"), {"token.garbage", "answers.faults"}),
    "an open redirect": (_spoilt("open-authorize"), {"authorize.page", "asking.once"}),
    "a callback for strangers": (_spoilt("open-callback"), {"callback.stranger"}),
    "a list as text": (_spoilt("media"), {"status.served"}),
    "a list by another key": (_spoilt("wrong-key"), {"status.signed"}),
    "a list for another address": (_listed(sub=lambda _: ELSEWHERE), {"status.signed"}),
    "a list that may be kept for a minute": (_listed(ttl=lambda _: 60), {"status.times"}),
    "a list that lives for ever": (_listed(exp=lambda now: now + 999), {"status.times"}),
    "old bits": (_listed(iat=lambda now: now - 30, exp=lambda now: now + 20), {"status.fresh"}),
    "a list of a few": (_set("bits", bytes(ENTRIES // 16)), {"status.size"}),
    "two bits an entry": (
        _listed(status_list=lambda _: {"bits": 2, "lst": "eJxjYAAAAAIAAQ"}),
        {"status.size"},
    ),
    "a partner that it does not know": (_spoilt("push"), {"asking.push"}),
    "PKCE by plain": (_spoilt("pkce"), {"asking.pkce"}),
    "any redirect address": (_spoilt("redirect"), {"asking.redirect"}),
    "any scenario": (_spoilt("scope"), {"asking.scope"}),
    "an assertion twice": (_spoilt("replay"), {"asking.replay"}),
    "a pushed request twice": (_spoilt("once"), {"asking.once"}),
    "any code": (_spoilt("code"), {"asking.code"}),
    "any token": (_spoilt("subject_token"), {"asking.exchange"}),
    "answers that are stored": (_spoilt("stored"), {"answers.stored"}),
    "a clock that is wrong": (_set("date_off_s", 300), {"clock"}),
    "pages after four seconds": (_set("delay_s", 4.0), {"answers.time"}),
    "no metadata": (_instead("/.well-known/oauth-authorization-server", 404), {"metadata.served"}),
    "metadata that is a page": (
        _instead("/.well-known/oauth-authorization-server", 200),
        {"metadata.served"},
    ),
    "nothing where requests are pushed": (_instead("/oauth/par", 404), {"city.answers"}),
    "nothing that takes a form": (_instead("/oauth/token", 405), {"city.answers"}),
    "nobody behind the token endpoint": (_instead("/oauth/token", 502), {"city.answers"}),
    "nobody behind its pages": (_instead("/oauth/authorize", 504), {"city.answers"}),
    "nobody to come back to": (_instead("/recognition/callback", 503), {"city.answers"}),
    "nobody behind its status list": (_instead("/status-lists/1", 503), {"city.answers"}),
    "a key of its neighbour": (_share_a_key, {"list.keys"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_fails_its_own_check_and_no_other(fault: str, country: Country) -> None:
    spoil, wanted = FAULTS[fault]
    spoil(country)
    found = seen(country)
    assert failed(found) == wanted
    for name in wanted:
        assert found[name].why
        assert found[name].remedy == CHECKS[name].remedy


def test_a_token_endpoint_that_redirects_fails_in_every_request_to_it(country: Country) -> None:
    country.town.spoilt.add("/oauth/token")
    wanted = {name for name in CHECKS if name.startswith("token.")} | {"answers.redirects"}
    wanted |= {"asking.replay", "asking.audience", "asking.expired"}
    assert failed(seen(country)) == wanted | {"asking.code", "asking.exchange"}


def test_every_check_can_fail(country: Country) -> None:
    covered = set[str]().union(*(wanted for _, wanted in FAULTS.values()))
    covered |= {"list.good", "list.entry", "answers.redirects"}
    covered |= {"asking.audience", "asking.expired"}
    assert set(CHECKS) - covered == set()


def test_a_city_that_is_not_in_the_list_is_looked_at_no_further(country: Country) -> None:
    country.region.cities.remove(country.town.city)
    found = seen(country)
    assert failed(found) == {"list.entry"}
    assert skipped(found) == set(CHECKS) - {"list.good", "list.entry"}


def test_an_entry_that_others_leave_out_is_named_with_its_fault(country: Country) -> None:
    country.town.city.changes["redirect_uris"] = [ELSEWHERE]
    found = seen(country)
    assert failed(found) == {"list.entry"}
    assert "redirect_uris" in found["list.entry"].why


def test_another_regions_list_is_not_believed(country: Country) -> None:
    place = Place(list_url=country.region.url, region=TestRegion().region(), loopback=True)
    found = {each.name: each for each in look(country.town.issuer, place)}
    assert failed(found) == {"list.good"}


def test_a_city_that_does_not_answer_is_one_failure_and_nothing_else_is_said(
    country: Country,
) -> None:
    country.town.server.shutdown()
    country.town.server.server_close()
    began = time.monotonic()
    found = seen(country)
    assert time.monotonic() - began < 10
    assert failed(found) == {"city.answers"}
    assert f"does not answer at {country.town.issuer}" in found["city.answers"].why
    assert skipped(found) == set(CHECKS) - {"city.answers", *LISTS}


def test_nor_is_anything_said_of_a_city_for_which_something_else_answers(country: Country) -> None:
    country.town.instead["*"] = 502
    found = seen(country)
    assert failed(found) == {"city.answers"}
    assert skipped(found) == set(CHECKS) - {"city.answers", *LISTS}


def test_where_nothing_is_at_any_address_nothing_passes(country: Country) -> None:
    country.town.instead["*"] = 404
    found = seen(country)
    assert failed(found) == {"city.answers", "metadata.served"}
    # The agreement is read in the list, without the city.
    passed = {name for name, each in found.items() if each.result is Result.PASS}
    assert passed == {*LISTS, "agreements.scheme"}
    assert "/oauth/par: answered 404" in found["city.answers"].why


def test_a_city_without_an_agreement_may_keep_its_grants_to_itself(country: Country) -> None:
    country.region.agreements.clear()
    country.town.not_for.add("330200")
    found = seen(country)
    assert failed(found) == set()
    assert found["token.bearer"].result is Result.PASS
    assert {"asking.push", "asking.code"} <= skipped(found)
    assert "nothing is open" in found["asking.push"].why


def test_and_a_partner_is_no_client_of_its_own_either(country: Country) -> None:
    country.town.not_for.add("330200")
    assert [each for each in seen(country).values() if each.result is not Result.PASS] == []


def test_but_to_its_own_client_a_city_answers_for_the_grant(country: Country) -> None:
    country.town.not_for.add("330100")
    assert failed(seen(country, asker="330100")) == {"token.bearer"}


def test_a_city_that_does_not_know_its_partner_fails_once_and_proves_nothing(
    country: Country,
) -> None:
    country.town.neighbours = [country.town.city]
    found = seen(country)
    assert failed(found) == {"token.bearer"}
    assert "does not know the client" in found["token.bearer"].why
    assert skipped(found) == {name for name in CHECKS if name.startswith("asking.")}


def test_but_owes_that_to_nobody_with_whom_it_has_no_agreement(country: Country) -> None:
    country.region.agreements.clear()
    country.town.neighbours = [country.town.city]
    found = seen(country)
    assert failed(found) == set()
    assert "asking.replay" in skipped(found)


def test_a_city_may_refuse_by_a_page_with_404_but_that_proves_nothing(country: Country) -> None:
    country.town.instead |= {"/oauth/authorize": 404, "/recognition/callback": 404}
    found = seen(country)
    assert {"authorize.page", "callback.stranger"} <= skipped(found)
    # A request that was pushed must open all the same.
    assert failed(found) == {"asking.once"}


def test_a_region_that_does_not_answer_is_named_and_no_key_is_compared(country: Country) -> None:
    url, country.region.url = country.region.url, "http://127.0.0.1:1/cities"
    found = seen(country)
    country.region.url = url
    assert failed(found) == {"list.good"}
    assert "the region does not answer at http://127.0.0.1:1/cities" in found["list.good"].why
    assert "`make cities`" in str(found["list.good"].remedy)


def test_without_a_key_the_partners_part_is_left_out_and_nothing_else(country: Country) -> None:
    found = seen(country, asker=None)
    assert failed(found) == set()
    assert skipped(found) == {name for name in CHECKS if name.startswith("asking.")}
    assert "QIANJIANG_KEYS_FILE" in found["asking.push"].why


def test_a_city_that_looks_at_itself_is_told_what_only_a_partner_sees(country: Country) -> None:
    found = seen(country, asker="330100")
    assert failed(found) == set()
    assert found["asking.replay"].result is Result.PASS
    assert "asking.push" in skipped(found)
    assert "itself" in found["asking.push"].why


def test_before_the_first_grant_there_may_be_no_list_but_a_named_one_must_be(
    country: Country,
) -> None:
    there, gone = f"{country.town.issuer}/status-lists/1", f"{country.town.issuer}/status-lists/2"
    assert failed(seen(country, status_list=there)) == set()
    assert failed(seen(country, status_list=gone)) == {"status.served"}


def test_each_check_names_a_section_that_there_is() -> None:
    text = (ROOT / "docs" / "protocol" / "recognition.md").read_text()
    for check in CHECKS.values():
        chapter = check.section.partition(".")[0]
        assert f"\n## {chapter}. " in text
