"""`qianjiang cities agreement` says at once what the region would say: it looks into its list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.keys import b64url
from tests.gateway.cli.office import terms
from tests.gateway.conformance.town import SCHEME, Country
from tests.gateway.recognition.region import ISS, Private, jwk_of, new_key

A, B = "330100", "330200"


@pytest.fixture
def country() -> Iterator[Country]:
    """Two cities, an agreement `a-b`, and the region that publishes both."""
    with Country().open() as opened:
        yield opened


class Desk:
    """An operator's own machine: the region's file, a key, and no database."""

    def __init__(self, country: Country, folder: Path) -> None:
        self.folder = folder
        pinned = folder / "region.json"
        pinned.write_bytes(country.region.pin())
        self.environment = {
            "QIANJIANG_CITY": A,
            "QIANJIANG_ISSUER": country.town.issuer,
            "QIANJIANG_TRUST_LIST_URL": country.region.url,
            "QIANJIANG_TRUST_LIST_KEYS": str(pinned),
            "QIANJIANG_ALLOW_LOOPBACK_HTTP": "true",
        }

    def run(self, *words: str) -> Result:
        done = CliRunner().invoke(main, ["cities", "agreement", *words], env=self.environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def draft(self, **changes: str) -> Result:
        return self.run("draft", *terms(B, **{"id": "a-b-2"} | changes))

    def key(self, kid: str, private: Private) -> Path:
        """The file of an operator's private key."""
        secret = private.private_numbers().private_value.to_bytes(32)
        path = self.folder / f"{kid}.jwk"
        path.write_text(json.dumps(jwk_of(kid, private) | {"d": b64url(secret)}))
        path.chmod(0o600)
        return path

    def sign(self, key: Path, act: str = "sign") -> Result:
        draft = self.folder / "draft.json"
        if not draft.exists():
            draft.write_text(self.draft().stdout)
        return self.run(act, str(draft), "--key", str(key))


@pytest.fixture
def desk(country: Country, tmp_path: Path) -> Desk:
    return Desk(country, tmp_path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"with": "320500"}, "320500 not in the region's list, which has 330100 示例城市 330100"),
        ({"scheme": "example-delta:9"}, "does not have example-delta:9 in its entry; it has"),
        ({"scenario": "hospital"}, "does not recognise hospital by its entry; it has library"),
    ],
)
def test_terms_that_could_not_come_into_force_are_not_printed(
    desk: Desk, changes: dict[str, str], told: str
) -> None:
    refused = desk.draft(**changes)
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert refused.stdout == ""


def test_terms_by_a_table_without_one_of_the_cities_are_neither_printed_nor_signed(
    country: Country, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, kid, private = country.town.city.operators[0]
    key = desk.key(kid, private)
    assert desk.sign(key).exit_code == 0
    schemes = [{"id": "example-delta", "version": number} for number in (1, 2)]
    for town in (country.town, country.partner):
        town.city.changes["schemes"] = schemes
    monkeypatch.setattr("gateway.cli._fetched._TICKS_S", 0.0)
    assert "example-delta:2 is not published at this" in desk.draft(scheme="example-delta:2").stderr
    monkeypatch.setitem(SCHEME, "cities", {A: {}, "320500": {}})
    refused = desk.draft()
    assert "the table of example-delta:1 says nothing of 330200" in refused.stderr
    assert refused.stdout == ""
    assert "says nothing of 330200" in desk.sign(key).stderr
    assert desk.sign(key, "end").exit_code == 0


def test_an_id_that_another_pair_uses_is_refused(country: Country, desk: Desk) -> None:
    statement = country.town.city.says(0, "sign", [A, "320500"], 1, agreement="taken")
    country.region.agreements["taken"] = [statement]
    assert "another pair's agreement" in desk.draft(id="taken").stderr


def test_only_an_operator_of_this_city_signs_and_the_key_file_is_named(
    country: Country, desk: Desk
) -> None:
    (_, own, private), (_, theirs, foreign) = (
        city.operators[0] for city in (country.town.city, country.partner.city)
    )
    stranger = new_key()
    for path, told in (
        (
            desk.key("stranger", stranger),
            "no operator of 330100 has this key in the region's list;",
        ),
        (desk.key(theirs, foreign), "(it is one of 330200)"),
        (desk.key(own, stranger), f"示例-330100-0 ({own})"),
        (desk.key("other-name", private), f"kid: other-name is called {own} in the entry"),
    ):
        refused = desk.sign(path)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"Error: {path}: ")
        assert told in refused.stderr
    signed = desk.sign(desk.key(own, private))
    assert (signed.exit_code, signed.stdout.count(".")) == (0, 2)
    assert f"示例-330100-0 ({own}) says for 330100: sign a-b-2" in signed.stderr


def test_a_city_that_speaks_for_another_address_is_told_so(country: Country, desk: Desk) -> None:
    _, kid, private = country.town.city.operators[0]
    desk.environment["QIANJIANG_ISSUER"] = "http://127.0.0.1:1"
    refused = desk.sign(desk.key(kid, private))
    assert f"{A} has {country.town.issuer} in the region's list" in refused.stderr
    desk.environment["QIANJIANG_ISSUER"] = "nonsense"
    assert "is no origin" in desk.sign(desk.key(kid, private)).stderr


def test_what_ends_an_agreement_is_heard_though_its_scheme_has_gone(
    country: Country, desk: Desk
) -> None:
    _, kid, private = country.town.city.operators[0]
    key = desk.key(kid, private)
    assert desk.sign(key).exit_code == 0
    country.partner.city.changes["schemes"] = [{"id": "example-delta", "version": 2}]
    assert "330200 does not have example-delta:1" in desk.sign(key).stderr
    assert desk.sign(key, "end").exit_code == 0


def test_without_a_list_people_sign_and_are_told_what_was_not_looked_at(
    country: Country, desk: Desk
) -> None:
    _, kid, private = country.town.city.operators[0]
    key = desk.key(kid, private)
    desk.environment["QIANJIANG_TRUST_LIST_URL"] = "http://127.0.0.1:1/trust-list"
    signed = desk.sign(key)
    assert signed.exit_code == 0
    assert "not looked up in the region's list: http://127.0.0.1:1/trust-list" in signed.stderr


def test_a_list_of_another_region_stops_who_would_sign(country: Country, desk: Desk) -> None:
    _, kid, private = country.town.city.operators[0]
    key = desk.key(kid, private)
    assert desk.sign(key).exit_code == 0
    pinned = {"iss": ISS, "keys": [jwk_of("region-1", new_key())]}
    Path(desk.environment["QIANJIANG_TRUST_LIST_KEYS"]).write_text(json.dumps(pinned))
    refused = desk.sign(key)
    assert refused.exit_code == 1
    assert "not signed by a key of the pinned file" in refused.stderr
