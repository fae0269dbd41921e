"""What is said at a counter: as good as in the app, marked, and no more than was said."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from itertools import product
from typing import Any

import msgspec
import pytest

from gateway.assisted.recording import Said, Words
from gateway.errors import (
    AdultsOnly,
    Forbidden,
    IdempotencyMismatch,
    IdentityRefused,
    Malformed,
    NotFound,
    TextChanged,
    TooManyRequests,
)
from gateway.idempotency import act
from gateway.local.people import synthetic_number
from gateway.store.migrate import Connection
from scenarios.contract import Outcome
from tests.gateway.assisted.desk import Desk, acts, traces
from tests.gateway.city import ENTITY, TestCity

EVERYTHING = ["enrolment", "score_authorisation", "consent", "commitment"]
OTHER_TEXT = hashlib.sha256(b"another text").hexdigest()


async def test_a_desk_serves_its_own_partys_scenarios_only(town: TestCity) -> None:
    await town.party()
    before = await traces(town)
    strange = Desk(town, "nobody")
    mine = Desk(town)
    with pytest.raises(Forbidden):
        await town.city.assisted.texts.reading("nobody", "rent", "deposit_free_rental")
    with pytest.raises(NotFound):
        await town.city.assisted.texts.reading("bike-shop", "no-such", "deposit_free_rental")
    with pytest.raises(Malformed):
        await town.city.assisted.texts.reading("bike-shop", "rent", "spying")
    with pytest.raises(Forbidden):
        await town.city.assisted.texts.reading("bike-shop", "library", "deposit_free_borrowing")
    visit = mine.visit()
    with pytest.raises(Forbidden):
        await town.city.assisted.recording.record(strange.attendant, visit, None)
    await town.owner.execute("UPDATE party SET status = 'suspended'")
    await town.city.parties.refresh(force=True)
    with pytest.raises(Forbidden):
        await town.city.assisted.recording.record(mine.attendant, visit, None)
    assert await traces(town) == before


async def test_the_texts_read_aloud_are_those_of_the_app(town: TestCity) -> None:
    await town.party()
    reading = await town.city.assisted.texts.reading("bike-shop", "rent", "deposit_free_rental")
    manifest, texts = town.city.registry["rent"].manifest, reading.texts
    score = town.city.authorisations.notice
    assert manifest.commitment is not None
    assert texts.score is not None
    assert texts.commitment is not None
    assert (texts.score.zh, texts.score.sha256) == (score.zh, score.sha256.hex())
    assert (texts.consent.zh, texts.consent.sha256) == (
        manifest.consent.zh,
        manifest.consent.text_sha256.hex(),
    )
    assert texts.commitment.sha256 == manifest.commitment.text_sha256.hex()
    assert reading.notice.recipient.name == ENTITY
    assert reading.notice.text.sha256 == texts.consent.sha256


async def test_only_what_a_scenario_asks_for_is_read(town: TestCity) -> None:
    await town.party(
        "block", scenarios=["points"], kind="community", entity="street", community="c-1"
    )
    reading = await town.city.assisted.texts.reading("block", "points", "points_redemption")
    assert (reading.texts.score, reading.texts.commitment) == (None, None)
    desk = Desk(town, "block")
    with pytest.raises(Malformed):
        await desk.record(scenario="points")  # a yes to texts that there are not
    recorded, found = await desk.record(scenario="points", said=Said(consent=True))
    assert recorded.agreed == ("consent",)
    assert found is not None


async def test_a_yes_to_everything_opens_the_way_like_a_yes_in_the_app(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    recorded, found = await desk.record()
    assert recorded.agreed == tuple(EVERYTHING[1:])
    assert found is not None
    citizen = await desk.citizen()
    # Only publishing raises a band, and nothing is known of this person yet.
    await town.owner.execute("UPDATE score SET band = 4 WHERE citizen = $1", citizen)
    await town.city.writer.rebuild(citizen)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    assert await acts(town) == EVERYTHING
    (consent,) = await town.city.consents.history(citizen, await _consent_id(town))
    assert (consent.staff, consent.place) == ("示例员工1", "一号柜台")
    (promise,) = await town.city.commitments.of(citizen)
    assert (promise.device, promise.jws) == (None, None)
    assert (promise.status, promise.entity, promise.staff) == ("signed", ENTITY, "示例员工1")
    assert recorded.receipt is not None
    assert promise.receipt_no == recorded.receipt.number


@pytest.mark.parametrize("said", list(product([False, True], repeat=3)))
async def test_exactly_what_was_agreed_is_recorded_and_a_refusal_nowhere(
    town: TestCity, said: tuple[bool, bool, bool]
) -> None:
    await town.party()
    desk = Desk(town)
    before = await traces(town)
    yes = dict(zip(("score", "consent", "commitment"), said, strict=True))
    recorded, found = await desk.record(said=Said(**yes))
    after = await traces(town)
    grown = {table: after[table] - before[table] for table in after if after[table] > before[table]}
    if not any(said):
        assert (grown, recorded.receipt, recorded.agreed) == ({}, None, ())
        return
    names = ("score_authorisation", "consent", "commitment")
    agreed = tuple(name for name, is_yes in zip(names, said, strict=True) if is_yes)
    assert grown == {
        "citizen": 1,
        "standing": 1,
        "standing_change": 1,
        "assisted_act": 1 + sum(said),
        **dict.fromkeys(agreed, 1),
    }
    assert recorded.agreed == agreed
    assert await acts(town) == ["enrolment", *agreed]
    assert (found is not None) == said[1]
    assert (await town.ask(await desk.citizen())).outcome is Outcome.STANDARD_PATH


async def test_a_refusal_takes_nothing_away_of_what_stood(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    await desk.record()
    held = await traces(town)
    recorded, found = await desk.record(said=Said())
    assert (recorded.agreed, recorded.receipt, found) == ((), None, None)
    assert await traces(town) == held
    citizen = await desk.citizen()
    said = await town.city.authorisations.current(citizen)
    assert said is not None
    assert said.status == "given"


async def test_the_desk_cannot_tell_a_newcomer_from_one_who_is_known(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    await desk.record(1)
    known, newcomer = await desk.record(1), await desk.record(2)
    for (recorded, found), (other, elsewhere) in [(known, newcomer)]:
        assert recorded.agreed == other.agreed
        assert recorded.receipt is not None
        assert other.receipt is not None
        assert len(recorded.receipt.text) == len(other.receipt.text)
        assert found is not None
        assert elsewhere is not None
        assert len(found.person) == len(elsewhere.person)


async def test_the_receipts_hash_can_be_made_again_and_it_names_nobody(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    recorded, _ = await desk.record(leave_out=("honour",))
    receipt = recorded.receipt
    assert receipt is not None
    digest = hashlib.sha256(receipt.text.encode())
    assert receipt.sha256 == digest.hexdigest()
    rows = await town.owner.fetch("SELECT receipt_no, receipt_sha256 FROM assisted_act")
    assert {tuple(row) for row in rows} == {(receipt.number, digest.digest())}
    manifest = town.city.registry["rent"].manifest
    assert manifest.commitment is not None
    for printed in (
        *("示例员工1", "一号柜台", "居民身份证", receipt.number, "荣誉表彰", "honours"),
        *(manifest.consent.zh.strip(), manifest.consent.en.strip()),
        *(manifest.commitment.zh.strip(), town.city.authorisations.notice.zh),
        *("随时可以撤回", "You can take this back", town.city.settings.city_contact),
    ):
        assert printed in receipt.text
    document = desk.document()
    for secret in (document.name, document.id_number, document.birthdate):
        assert secret not in receipt.text


CHILD = date(2015, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"full_capacity": False},
        {"id_number": synthetic_number(7, CHILD), "birthdate": CHILD.isoformat()},
    ],
    ids=["capacity", "minor"],
)
async def test_a_minor_or_one_without_full_capacity_leaves_no_trace(
    town: TestCity, wrong: dict[str, Any]
) -> None:
    await town.party()
    desk = Desk(town)
    before = await traces(town)
    with pytest.raises(AdultsOnly):
        await desk.record(document=desk.document(1, **wrong))
    assert await traces(town) == before


async def test_a_document_that_contradicts_itself_is_looked_at_again(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    before = await traces(town)
    wrong: dict[str, Any]
    for wrong, pointer in (
        ({"id_number": "991"}, "/document/id_number"),
        ({"id_number": desk.document().id_number[:17] + "?"}, "/document/id_number"),
        ({"birthdate": "1980-01-01"}, "/document/birthdate"),
        ({"birthdate": "no date"}, "/document/birthdate"),
    ):
        with pytest.raises(Malformed) as refused:
            await desk.record(document=desk.document(1, **wrong))
        assert [place for place, _ in refused.value.pointers] == [pointer]
    # The example of GB 11643-1999 itself; a city of made-up people records no real one.
    real: dict[str, Any] = {"id_number": "11010519491231002X", "birthdate": "1949-12-31"}
    with pytest.raises(IdentityRefused):
        await desk.record(document=desk.document(1, **real))
    assert await traces(town) == before


@pytest.mark.parametrize("name", ["score", "consent", "commitment"])
async def test_a_yes_to_other_words_is_no_yes(town: TestCity, name: str) -> None:
    await town.party()
    desk = Desk(town)
    before = await traces(town)
    words = msgspec.structs.asdict(desk.words())
    with pytest.raises(TextChanged):
        await desk.record(read=Words(**(words | {name: OTHER_TEXT})))
    if name != "consent":
        with pytest.raises(Malformed):
            await desk.record(read=Words(**(words | {name: None})))
    assert await traces(town) == before


async def test_what_was_left_out_before_stays_left_out(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    await desk.record(leave_out=("donation",))
    recorded, _ = await desk.record(leave_out=("honour",))
    said = await town.city.authorisations.current(await desk.citizen())
    assert said is not None
    assert said.leave_out == ("donation", "honour")
    # The desk is not told what was left out elsewhere.
    assert recorded.receipt is not None
    assert "捐赠" not in recorded.receipt.text.replace(town.city.authorisations.notice.zh, "")
    with pytest.raises(Malformed):
        await desk.record(said=Said(consent=True), leave_out=("honour",))


async def test_the_same_visit_sent_twice_is_recorded_once(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    key = act("staff:1", "k", "POST", "/p", b"body")
    first, found = await desk.record(act=key)
    again, _ = await desk.record(act=key)
    assert again == first
    assert await acts(town) == EVERYTHING
    with pytest.raises(IdempotencyMismatch):
        await desk.record(act=act("staff:1", "k", "POST", "/p", b"other"))
    assert found is not None


async def test_two_desks_that_enrol_one_person_at_once_make_one_citizen(town: TestCity) -> None:
    await town.party()
    await town.party("rival", entity="rival-house")
    desks = [Desk(town), Desk(town, "rival", staff=2)]
    await asyncio.gather(*(desk.record(said=Said(consent=True)) for desk in desks))
    assert await town.owner.fetchval("SELECT count(*) FROM citizen") == 1
    assert (await acts(town)).count("enrolment") == 1
    assert await town.owner.fetchval("SELECT count(*) FROM consent") == 2


async def test_no_device_can_void_what_was_said_at_a_desk(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    await desk.record()
    citizen = await desk.citizen()
    device = town.city.ids.random_uuid()
    await town.owner.execute(
        "INSERT INTO device (id, citizen, kid, jwk, name) VALUES ($1, $2, 'k', '{}', 'p')",
        *(device, citizen),
    )
    await town.city.devices.revoke(citizen, device, 0)
    (promise,) = await town.city.commitments.of(citizen)
    assert promise.status == "signed"


async def test_a_promise_has_one_way_and_not_both_or_none(
    town: TestCity, owner: Connection
) -> None:
    some = town.city.ids.random_uuid()
    for device, jws, assisted in (
        *((None, None, None), (some, "jws", some), (some, None, None)),
        *((None, "jws", None), (some, None, some), (None, "jws", some)),
    ):
        with pytest.raises(Exception, match="commitment_has_one_way"):
            await owner.execute(
                "INSERT INTO commitment (id, version, citizen, scenario, template,"
                " template_version, text_sha256, device, jws, assisted, status, signed_at)"
                " VALUES ($1, 1, $1, 'rent', 't', '1', sha256('t'), $2, $3, $4, 'signed', now())",
                *(some, device, jws, assisted),
            )


async def test_acts_are_never_altered(town: TestCity, connection: Connection) -> None:
    await town.party()
    await Desk(town).record()
    for change in ("UPDATE assisted_act SET act = 'found'", "DELETE FROM assisted_act"):
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(change)


async def test_a_desk_records_a_bounded_number_of_people(town: TestCity) -> None:
    await town.party()
    desk = Desk(town)
    await town.owner.execute(
        "INSERT INTO miss VALUES ($1, clock_us() + 60000000 * 30)",
        f"assisted-look/{desk.attendant.staff.hex}",
    )
    before = await traces(town)
    with pytest.raises(TooManyRequests):
        await desk.record()
    assert await traces(town) == before


async def _consent_id(town: TestCity) -> Any:
    return await town.owner.fetchval("SELECT id FROM consent")
