"""An account that is closed while others act on it: whoever waits writes nothing for the closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from gateway import city_facts
from gateway.consents import Terms
from gateway.corrections import AboutOther, Said
from gateway.errors import AccountClosed, GatewayError, StillRunning
from gateway.office import Office
from gateway.score_publication import ScorePublication
from gateway.scores import Scores, today
from gateway.store.city_fact import Loan
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body, key
from tests.gateway.citizens.browser import Phone
from tests.gateway.city import ENTITY, TestCity
from tests.gateway.my_data.life import (
    asked_in_person,
    close,
    closed,
    enrolled,
    life,
    told,
)


async def test_twice_at_once_is_once(
    callers: Callers, office: Office, other_worker: TestCity
) -> None:
    citizen = await life(callers.town, office)
    clients = [await callers.citizen(citizen), await Callers(other_worker).citizen(citizen)]
    answers = await asyncio.gather(*(close(client) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [204, 401]
    assert (
        await callers.town.owner.fetchval("SELECT count(*) FROM consent WHERE status = 'withdrawn'")
        == 1
    )


async def test_what_waits_for_the_closing_writes_nothing_for_the_closed(
    callers: Callers, office: Office, other_worker: TestCity
) -> None:
    """Everything a citizen can do, begun while the account is closed, on another worker."""
    town, city = callers.town, other_worker.city
    citizen = await life(town, office)
    request = await asked_in_person(town, citizen, "late")
    terms = Terms(text_sha256=city.registry["rent"].manifest.consent.text_sha256.hex())
    consent = await town.owner.fetchval("SELECT id FROM consent")
    device = await town.owner.fetchval("SELECT id FROM device")
    commitment = await town.owner.fetchval("SELECT id FROM commitment")
    notice = city.authorisations.notice.sha256
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "grant": lambda: city.consents.grant(citizen, request, terms),
        "resume": lambda: city.consents.resume(citizen, consent),
        "commit": lambda: city.commitments.sign(citizen, "x.y.z", None),
        "uncommit": lambda: city.commitments.withdraw(citizen, commitment),
        "register": lambda: city.devices.register(citizen, "x", Phone().jwk, None),
        "revoke": lambda: city.devices.revoke(citizen, device, None),
        "authorise": lambda: city.authorisations.give(citizen, notice, (), None),
        "correct": lambda: city.corrections.ask(citizen, Said(AboutOther(), "x"), None),
        "close": lambda: closed(other_worker, citizen),
    }
    holding = asyncio.Event()
    real = town.city.closing.authorisations.withdraw_within

    async def slowly(connection: Any, who: UUID) -> None:
        holding.set()
        await asyncio.sleep(0.05)
        await real(connection, who)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(town.city.closing.authorisations, "withdraw_within", slowly)
        ending = asyncio.create_task(closed(town, citizen))
        await holding.wait()
        outcomes = await asyncio.gather(*(act() for act in acts.values()), return_exceptions=True)
        await ending
    for name, outcome in zip(acts, outcomes, strict=True):
        assert isinstance(outcome, AccountClosed | StillRunning), (name, outcome)
    # And once it is over, as well.
    for act in acts.values():
        with pytest.raises(AccountClosed):
            await act()
    assert await town.owner.fetchval("SELECT max(version) FROM consent") == 2
    assert await town.owner.fetchval("SELECT count(*) FROM device") == 1
    assert await town.owner.fetchval("SELECT count(*) FROM correction_request") == 1


async def test_a_closing_that_races_with_a_grant_leaves_an_ended_consent_or_none(
    callers: Callers, office: Office, other_worker: TestCity
) -> None:
    town = callers.town
    for number in range(1, 13):
        citizen = await life(town, office, number)
        request = await asked_in_person(town, citizen, f"race-{number}")
        text = town.city.registry["rent"].manifest.consent.text_sha256.hex()
        outcomes = await asyncio.gather(
            other_worker.city.consents.grant(citizen, request, Terms(text_sha256=text)),
            closed(town, citizen),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, AccountClosed | StillRunning), outcome
        newest = await town.owner.fetchval(
            "SELECT status FROM consent WHERE citizen = $1 ORDER BY version DESC LIMIT 1", citizen
        )
        assert newest == "withdrawn"
        for worker in (town, other_worker):
            assert (await worker.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_signing_in_while_the_account_is_closed_leads_to_a_new_one_in_the_end(
    callers: Callers, office: Office, other_worker: TestCity
) -> None:
    """By the same login and by another one of the same person: no login is lost for ever."""
    town = callers.town
    for number in range(1, 9):
        citizen = await life(town, office, number)
        other_login = structs.replace(told(number), subject=f"again-{number}")
        outcomes = await asyncio.gather(
            closed(town, citizen),
            other_worker.city.citizens.enrol(told(number)),
            other_worker.city.citizens.enrol(other_login),
            return_exceptions=True,
        )
        assert outcomes[0] is None, outcomes
        for outcome in outcomes[1:]:
            assert isinstance(outcome, UUID | GatewayError), outcome
        after = {await town.city.citizens.enrol(each) for each in (told(number), other_login)}
        assert len(after) == 1
        assert citizen not in after


async def test_a_publication_passes_the_closed_by(callers: Callers, office: Office) -> None:
    town = callers.town
    citizen, other = await enrolled(town, office, 1), await enrolled(town, office, 2)
    await town.owner.execute("UPDATE score SET band = 1, score = 1")
    publication = ScorePublication(
        office.database, office.writer, Scores(office.vault, office.clock), office.clock
    )
    real = publication._page

    async def then_closes(*given: Any) -> Any:
        page = await real(*given)
        if page[1]:
            await closed(town, citizen)
        return page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publication, "_page", then_closes)
        await publication.run(today(office.clock))
    left = await town.owner.fetch("SELECT citizen FROM score")
    assert [row["citizen"] for row in left] == [other]


async def test_an_answer_given_before_stays_on_record_without_its_facts(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    citizen = await life(town, office)
    answer = await town.ask(citizen, request_id="case-9", body_hash=b"same")
    await closed(town, citizen)
    again = await town.ask(citizen, request_id="case-9", body_hash=b"same")
    assert (again.outcome, again.decision == answer.decision) == (Outcome.STANDARD_PATH, False)
    read = body(await callers.party().get(f"/v1/decisions/{answer.decision}"))
    assert read["outcome"] == "eligible"
    record = await town.city.lookups.reasons(answer.decision, citizen)
    assert record.facts is None


async def test_repeats_of_the_citizens_own_writes_are_forgotten(
    callers: Callers, office: Office
) -> None:
    citizen = await life(callers.town, office)
    me = await callers.citizen(citizen)
    ask = {"about": {"kind": "other"}, "words": "x"}
    assert (await me.post("/v1/me/corrections", json=ask, headers=key("k"))).status_code == 201
    assert await callers.town.owner.fetchval("SELECT count(*) FROM idempotency") == 1
    await closed(callers.town, citizen)
    assert await callers.town.owner.fetchval("SELECT count(*) FROM idempotency") == 0


async def test_a_closed_account_can_have_no_city_facts(callers: Callers, office: Office) -> None:
    citizen = await enrolled(callers.town, office)
    await closed(callers.town, citizen)
    fact = Loan(citizen, "l-1", ENTITY, 3, callers.town.city.clock.now_us())
    with pytest.raises(AccountClosed):
        await city_facts.load(office.writer, [fact])
