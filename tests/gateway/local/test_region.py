"""A region's list: only what is proved gets on it, and a serial stands for one content."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from gateway.claims import AgreementClaims, Kind, TrustListClaims
from gateway.client_keys import new_client_key, private_key
from gateway.clock import SECOND_US, FixedClock
from gateway.ids import SystemIds
from gateway.jose import Passed, Reason, Refused, sign, verify
from gateway.jwk import Key, parse_jwks
from gateway.keys import load_keys, write_keys
from gateway.local import alliance
from gateway.local.atlas import HANGZHOU, NINGBO, SUZHOU, DemoCity
from gateway.local.region import LIST, LocalRegion
from gateway.local.region_rules import RegionDeclines
from gateway.local.region_server import build_app
from gateway.local.region_statements import claims_of
from gateway.recognition.entry import EntryRefused

NOW_S = 1_790_000_000
ADDRESS = "http://127.0.0.10:8700"
UNSET = msgspec.UNSET


def address_of(city: DemoCity) -> str:
    """Where the city is, and its name as an issuer."""
    return f"http://{city.gateway_host}:8700"


class Pinned:
    """The keys that a city pins, read from what `qianjiang region key` prints."""

    def __init__(self, raw: bytes) -> None:
        self._keys = parse_jwks(raw)

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        return self._keys.get(kid) if issuer == ADDRESS else None


class Place:
    """A region with the means to bring cities to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(NOW_S * SECOND_US)
        self.region = LocalRegion(folder / "region", self.clock)
        self.region.begin(ADDRESS)

    def entry(self, city: DemoCity, **changed: Any) -> bytes:
        """A city's entry; its keys are made at the first call."""
        data = self.folder / city.slug
        (data / "secrets").mkdir(parents=True, exist_ok=True)
        if not (data / "keys.json").exists():
            write_keys(data / "keys.json", SystemIds())
        keys = load_keys(data / "keys.json")
        made = alliance.entry_of(city, address_of(city), keys, alliance.operators(data))
        return msgspec.json.encode(msgspec.structs.replace(made, **changed))

    def said(
        self, city: DemoCity, other: DemoCity, act: alliance.Act = "sign", **changed: Any
    ) -> list[str]:
        """What both operators of a city say about its agreement with another, or nearly so."""
        claims = alliance.statement(ADDRESS, act, city, other)
        claims = msgspec.structs.replace(claims, **changed)
        return alliance.said(self.folder / city.slug, address_of(city), claims, NOW_S)

    def list(self) -> TrustListClaims:
        """What the region publishes, as a city believes it."""
        passed = verify(
            self.region.publish(),
            Kind.TRUST_LIST,
            Pinned(self.region.pinned()),
            issuer=ADDRESS,
            audience=ADDRESS + LIST,
            now_us=self.clock.now_us(),
        )
        assert isinstance(passed, Passed), passed
        assert isinstance(passed.claims, TrustListClaims)
        return passed.claims


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def allied(place: Place) -> Place:
    """A region of two cities without an agreement."""
    for city in (HANGZHOU, NINGBO):
        place.region.admit(place.entry(city))
    return place


def test_a_list_is_good_for_a_minute_and_says_when_to_come_again(allied: Place) -> None:
    told = allied.list()
    assert (told.iat, told.exp, told.ttl) == (NOW_S, NOW_S + 60, 10)
    assert told.iss + LIST == told.sub
    codes = [msgspec.json.decode(raw)["code"] for raw in told.cities]
    assert codes == ["330100", "330200"]


def test_another_regions_key_signs_no_list_of_this_one(place: Place, tmp_path: Path) -> None:
    other = LocalRegion(tmp_path / "other", place.clock)
    other.begin(ADDRESS)
    refused = verify(
        place.region.publish(),
        Kind.TRUST_LIST,
        Pinned(other.pinned()),
        issuer=ADDRESS,
        audience=ADDRESS + LIST,
        now_us=place.clock.now_us(),
    )
    assert refused == Refused(Reason.KEY)


def test_the_secret_half_of_the_key_is_neither_printed_nor_readable_by_others(
    place: Place,
) -> None:
    assert b'"d"' not in place.region.pinned()
    assert (place.region.folder / "region.json").stat().st_mode & 0o077 == 0


def test_a_regions_key_is_never_replaced(place: Place) -> None:
    with pytest.raises(RegionDeclines, match="never replaced"):
        place.region.begin(ADDRESS)


def test_a_region_is_found_again_where_it_was_begun(place: Place) -> None:
    before = place.region.pinned()
    place.region.begin_at(ADDRESS)
    assert place.region.pinned() == before


def test_where_nothing_was_begun_it_is_said_how(tmp_path: Path) -> None:
    for act in (
        LocalRegion(tmp_path, FixedClock(0)).publish,
        LocalRegion(tmp_path, FixedClock(0)).pinned,
    ):
        with pytest.raises(RegionDeclines, match="region init"):
            act()


def test_the_same_content_keeps_its_serial_and_other_content_gets_a_higher_one(
    allied: Place,
) -> None:
    first, again = allied.list(), allied.list()
    assert first.serial == again.serial
    allied.region.admit(allied.entry(NINGBO))  # the same
    assert allied.list().serial == first.serial
    allied.region.admit(allied.entry(NINGBO, contact="another"))
    changed = allied.list()
    allied.region.expel("330200")
    gone = allied.list()
    allied.region.admit(allied.entry(NINGBO))
    back = allied.list()
    assert first.serial < changed.serial < gone.serial < back.serial
    assert (first.cities, first.agreements) == (back.cities, back.agreements)


def test_an_edit_by_hand_gets_a_serial_before_it_leaves(allied: Place) -> None:
    before = allied.list()
    (allied.region.folder / "cities" / "330200.json").unlink()
    after = allied.list()
    assert len(after.cities) == 1
    assert before.serial < after.serial == allied.region.file.serial


def test_a_region_begun_anew_goes_on_above_the_serials_of_the_lost_one(
    allied: Place, tmp_path: Path
) -> None:
    before = allied.list().serial
    allied.clock.advance(seconds=60)
    anew = LocalRegion(tmp_path / "anew", allied.clock)
    anew.begin(ADDRESS)
    anew.publish()
    assert anew.file.serial > before


def test_a_serial_stands_for_one_content_whoever_changes_it_meanwhile(allied: Place) -> None:
    entry, seen = allied.entry(NINGBO), dict[int, set[tuple[bytes, ...]]]()

    def look() -> None:
        told = allied.list()
        seen.setdefault(told.serial, set()).add(tuple(map(bytes, told.cities)))

    with ThreadPoolExecutor(4) as threads:
        looks = [threads.submit(look) for _ in range(60)]
        for _ in range(20):
            allied.region.expel("330200")
            allied.region.admit(entry)
        for each in looks:
            each.result()
    assert len(seen) > 2, "nobody looked while it changed"
    assert all(len(contents) == 1 for contents in seen.values())


def test_a_city_whose_key_another_city_has_is_not_admitted(allied: Place) -> None:
    shared = msgspec.json.decode(allied.entry(NINGBO))["keys"]
    entry = msgspec.json.decode(allied.entry(SUZHOU)) | {"keys": shared}
    with pytest.raises(RegionDeclines, match=r"in the entry of 330200 宁波.* too, under keys: "):
        allied.region.admit(msgspec.json.encode(entry))
    operators = msgspec.json.decode(allied.entry(HANGZHOU))["operators"]
    entry = msgspec.json.decode(allied.entry(SUZHOU)) | {"operators": operators}
    with pytest.raises(RegionDeclines, match=r"^320500: operators: 示例操作员1 \(.*of 330100"):
        allied.region.admit(msgspec.json.encode(entry))
    assert len(allied.list().cities) == 2


def test_an_entry_that_others_could_not_rely_on_is_refused(place: Place) -> None:
    for raw in (
        b"{}",
        b"\xff",
        place.entry(NINGBO, redirect_uris=("http://127.0.0.9/callback",)),
        place.entry(NINGBO, operators=()),
        place.entry(NINGBO, issuer="http://127.0.0.3:8700/city"),
    ):
        with pytest.raises(EntryRefused):
            place.region.admit(raw)
    assert place.list().cities == ()


def test_plain_http_is_for_a_region_of_this_machine_only(tmp_path: Path, place: Place) -> None:
    strict = LocalRegion(tmp_path / "strict", place.clock, allow_loopback_http=False)
    strict.begin("https://region.example")
    with pytest.raises(EntryRefused, match="https"):
        strict.admit(place.entry(NINGBO))


def test_nobody_is_expelled_twice(allied: Place) -> None:
    with pytest.raises(RegionDeclines, match="310000"):
        allied.region.expel("310000")
    with pytest.raises(RegionDeclines):
        allied.region.expel("../region")


@pytest.fixture
def signed(allied: Place) -> Place:
    """The same with an agreement that all four operators signed."""
    for one, other in ((HANGZHOU, NINGBO), (NINGBO, HANGZHOU)):
        for compact in allied.said(one, other):
            allied.region.accept(compact)
    return allied


def test_a_region_that_moved_has_another_name_and_what_was_signed_for_the_old_one_is_gone(
    signed: Place,
) -> None:
    before = signed.list()
    signed.region.begin_at("http://127.0.0.10:8799")
    assert signed.region.url == "http://127.0.0.10:8799" + LIST
    signed.region.publish()
    assert signed.region.file.serial > before.serial, "no reader takes it for an older list"
    assert signed.region.agreements() == []
    assert list((signed.region.folder / "statements").iterdir()) == []
    assert signed.region.cities().keys() == {"330100", "330200"}


def test_what_a_city_said_at_a_former_address_is_forgotten_and_what_others_said_is_not(
    signed: Place,
) -> None:
    signed.region.tidy()
    assert len(signed.region.agreements()[0].statements) == 4
    moved = signed.entry(NINGBO).replace(address_of(NINGBO).encode(), b"http://127.0.0.3:8799")
    signed.region.admit(moved, replace=True)
    signed.region.tidy()
    (agreement,) = signed.region.agreements()
    assert {claims_of(each).iss for each in agreement.statements} == {address_of(HANGZHOU)}
    signed.region.expel(HANGZHOU.code)
    signed.region.tidy()
    signed.region.admit(signed.entry(HANGZHOU))
    assert len(signed.region.agreements()[0].statements) == 2, "who left may come back"


def test_what_operators_say_is_published_word_for_word(signed: Place) -> None:
    for compact in signed.said(NINGBO, HANGZHOU, "suspend"):
        claims = signed.region.accept(compact)
        assert (claims.iss, claims.act) == (address_of(NINGBO), "suspend")
        (raw,) = signed.list().agreements
        assert compact in msgspec.json.decode(raw)["statements"]


def test_a_statement_filed_again_changes_nothing(signed: Place) -> None:
    before = signed.list()
    (compact,) = [*map(str, msgspec.json.decode(before.agreements[0])["statements"][:1])]
    signed.region.accept(compact)
    assert signed.list() == before


def test_an_agreement_is_published_while_both_cities_are_on_the_list(signed: Place) -> None:
    before = signed.list().agreements
    signed.region.expel("330100")
    assert signed.list().agreements == ()
    signed.region.admit(signed.entry(HANGZHOU))
    assert signed.list().agreements == before


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"aud": "http://127.0.0.11:8700"}, "another region"),
        ({"cities": ("330200", "330100")}, "lower code first"),
        ({"cities": ("330100", "330100")}, "lower code first"),
        ({"cities": ("320500", "330200")}, "not both on the list"),
        ({"scenarios": UNSET}, "terms"),
        ({"scheme": UNSET}, "terms"),
        ({"from_": UNSET}, "terms"),
        ({"to": UNSET}, "terms"),
    ],
)
def test_a_statement_that_says_something_odd_is_not_filed(
    allied: Place, changed: dict[str, Any], told: str
) -> None:
    for compact in allied.said(NINGBO, HANGZHOU, **changed):
        with pytest.raises(RegionDeclines, match=told):
            allied.region.accept(compact)
    assert allied.list().agreements == ()


def test_only_who_signs_names_terms(signed: Place) -> None:
    terms = alliance.statement(ADDRESS, "sign", NINGBO, HANGZHOU)
    for compact in signed.said(NINGBO, HANGZHOU, "end", scenarios=terms.scenarios):
        with pytest.raises(RegionDeclines, match="terms"):
            signed.region.accept(compact)


def test_only_an_operator_of_the_city_that_speaks_is_heard(allied: Place) -> None:
    mine = alliance.operators(allied.folder / NINGBO.slug)[0]
    theirs = alliance.operators(allied.folder / HANGZHOU.slug)[0]
    stranger = new_client_key().private
    claims = msgspec.structs.replace(
        alliance.statement(ADDRESS, "sign", HANGZHOU, NINGBO), iss=address_of(NINGBO), iat=NOW_S
    )

    def by(jwk: dict[str, str], kid: str) -> str:
        return sign(Kind.AGREEMENT, claims, kid, private_key(jwk))

    for compact, told in (
        (by(stranger, stranger["kid"]), "no operator of that city"),
        (by(theirs, theirs["kid"]), "no operator of that city"),
        (by(stranger, mine["kid"]), "another one signed"),
    ):
        with pytest.raises(RegionDeclines, match=told):
            allied.region.accept(compact)
    assert isinstance(allied.region.accept(by(mine, mine["kid"])), AgreementClaims)


@pytest.mark.parametrize("text", ["", "a.b", "a.e30.c", "é.é.é", "." * 3, "x" * 9000])
def test_what_is_no_statement_is_said_so(allied: Place, text: str) -> None:
    with pytest.raises(RegionDeclines, match="not a statement"):
        allied.region.accept(text)


def test_the_list_is_served_at_its_own_address(signed: Place) -> None:
    with TestClient(build_app(signed.region)) as client:
        answer = client.get(LIST)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/trust-list+jwt"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text.count(".") == 2
        assert client.post(LIST).status_code == 405
        assert client.get("/").status_code == 404
