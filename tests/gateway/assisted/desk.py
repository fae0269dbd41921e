"""A desk for tests: staff of a party, people with documents, visits that go well or not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.assisted.attendant import Attendant, Document
from gateway.assisted.finding import Found, Shown
from gateway.assisted.receipt import Receipt
from gateway.assisted.recording import Recorded, Said, Visit, Words
from gateway.assisted.withdrawal import TakingBack, What
from gateway.idempotency import Act
from gateway.local.people import person
from gateway.oidc import Told
from tests.gateway.city import MERCHANT, TestCity

PURPOSES = {
    "rent": "deposit_free_rental",
    "library": "deposit_free_borrowing",
    "hospital": "pay_after_treatment",
    "points": "points_redemption",
}
CARD = "resident_identity_card"
ALL = Said(score=True, consent=True, commitment=True)

#: Tables that hold anything of a person.
TRACES = (
    *("citizen", "login", "standing", "standing_change", "score_authorisation", "consent"),
    *("commitment", "assisted_act", "staff_access", "idempotency", "webhook_message"),
)


class Desk:
    """One member of staff at one desk of a party."""

    def __init__(self, town: TestCity, party: str = MERCHANT, *, staff: int = 1) -> None:
        self.town = town
        self.attendant = Attendant(
            UUID(int=staff), f"示例员工{staff}", party, "一号柜台", b"session-%d" % staff
        )

    def document(self, number: int = 1, **changes: Any) -> Document:
        """A person's identity card, or one with something wrong."""
        who = person(number)
        right: dict[str, Any] = {
            "kind": CARD,
            "name": who.name,
            "id_number": who.id_number,
            "birthdate": who.birthdate.isoformat(),
            "full_capacity": True,
        }
        return Document(**(right | changes))

    def words(self, scenario: str = "rent") -> Words:
        """The hashes of the texts as they stand."""
        assisted = self.town.city.assisted
        texts = assisted.texts.texts(assisted.texts.remit(self.attendant.party, scenario))
        return Words(
            score=texts.score.sha256 if texts.score else None,
            consent=texts.consent.sha256,
            commitment=texts.commitment.sha256 if texts.commitment else None,
        )

    def visit(self, number: int = 1, *, scenario: str = "rent", **changes: Any) -> Visit:
        """A person to whom everything was read and who said yes to all, or otherwise."""
        right: dict[str, Any] = {
            "scenario": scenario,
            "purpose": PURPOSES[scenario],
            "document": self.document(number),
            "read": self.words(scenario),
            "said": ALL,
        }
        return Visit(**(right | changes))

    async def record(
        self, number: int = 1, *, act: Act | None = None, **changes: Any
    ) -> tuple[Recorded, Found | None]:
        """Record a visit."""
        visit = self.visit(number, **changes)
        return await self.town.city.assisted.recording.record(self.attendant, visit, act)

    async def find(self, number: int = 1, *, scenario: str = "rent") -> Found:
        """Look for a returning person."""
        shown = Shown(CARD, person(number).id_number)
        return await self.town.city.assisted.finding.find(self.attendant, scenario, shown)

    async def withdraw(
        self,
        what: What = "consent",
        number: int = 1,
        *,
        scenario: str = "rent",
        act: Act | None = None,
    ) -> Receipt:
        """Take something back."""
        shown = Shown(CARD, person(number).id_number)
        wish = TakingBack(scenario=scenario, what=what, document=shown)
        return await self.town.city.assisted.withdrawal.withdraw(self.attendant, wish, act)

    async def citizen(self, number: int = 1) -> UUID:
        """The citizen that a person became."""
        admitted = self.town.city.citizens.admit(self.document(number))
        found = await self.town.city.citizens.known(admitted)
        assert found is not None
        return found


async def traces(town: TestCity) -> dict[str, int]:
    """How many rows there are of anything about anybody."""
    return {table: await town.owner.fetchval(f"SELECT count(*) FROM {table}") for table in TRACES}


async def acts(town: TestCity) -> list[str]:
    """The acts on record, in order."""
    rows = await town.owner.fetch("SELECT act FROM assisted_act ORDER BY id")
    return [row["act"] for row in rows]


async def signs_in(town: TestCity, number: int = 1) -> UUID:
    """The person signs in by phone, as the identity provider tells it."""
    who = person(number)
    told = Told(
        issuer="http://127.0.0.2:8701",
        subject=who.login,
        name=who.name,
        id_number=who.id_number,
        birthdate=who.birthdate.isoformat(),
        full_capacity=True,
    )
    return await town.city.citizens.enrol(told)
