"""Citizens: who may have a file, and how one comes to be at the first login.

Only adults of full civil capacity have a file (浙江省公共信用信息管理条例 2; 民法典 17, 18); others
hear so in plain words and leave no trace. The identity number is sealed under a key of the
person's own and found by a keyed index; everywhere else a citizen is a random number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import msgspec

from gateway.clock import SHANGHAI, Clock, from_us
from gateway.errors import AdultsOnly, IdentityRefused, NotFound, StillRunning
from gateway.fact_import import identity_index
from gateway.identity_number import (
    Described,
    IdentityNumber,
    age_on,
    parse_identity_number,
    same_name,
)
from gateway.ids import Ids
from gateway.oidc import Told
from gateway.recognition.neighbours import Trust
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store import citizen as rows
from gateway.store import standing as standing_rows
from gateway.store.citizen import NewCitizen, PersonRow
from gateway.store.database import Connection, Database
from gateway.vault import Seal, Vault, blind_index

ADULT_YEARS = 18


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who a citizen is, for the citizen's own eyes.

    Of a visitor from another city (`home`, GB/T 2260) nothing but that is known.
    """

    name: str
    id_number: str | None = None
    birthdate: date | None = None
    home: str | None = None
    synthetic: bool = False
    since_us: int = 0

    def __repr__(self) -> str:
        return "Person(…)"  # a traceback or a log shows the representation


class Admitted(msgspec.Struct, frozen=True):
    """A person who may have a record, and the index under which it is found."""

    told: Described
    number: IdentityNumber
    index: bytes


class Citizens:
    """The citizens of the city.

    Args:
        settings: whether the issuer's people are synthetic.
        index_key: keys the blind indexes.
        vault: makes and opens people's keys.
        trust: what visitors' home cities are called.
    """

    def __init__(
        self,
        settings: Settings,
        index_key: bytes,
        vault: Vault,
        database: Database,
        writer: StandingWriter,
        trust: Trust,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._trust = trust
        self._synthetic = settings.oidc_synthetic
        self._index_key = index_key
        self._vault, self._database, self._writer = vault, database, writer
        self._clock, self._ids = clock, ids

    async def enrol(self, told: Told) -> UUID:
        """The citizen whom the identity provider vouches for; a new one at the first login.

        Raises:
            IdentityRefused: the identity is not one that this issuer can vouch for.
            AdultsOnly: the person is a minor or not of full capacity.
        """
        admitted = self.admit(told)
        subject = blind_index(self._index_key, "oidc-subject", told.issuer, told.subject)
        async with self._database.connection() as connection:
            known = await rows.by_identity(connection, admitted.index)
            before = await rows.of_login(connection, told.issuer, subject)
        # A login that was one person's must never become another's.
        if before is not None and before != known:
            raise IdentityRefused("login-of-another")
        if before is not None:
            return before
        return await self._bind(told, admitted, subject)

    def admit(self, told: Described) -> Admitted:
        """Judge whether a person may have a record. Nothing is looked up or written.

        Raises:
            IdentityRefused: the description is not one that can be vouched for here.
            AdultsOnly: the person is a minor or not of full capacity.
        """
        number = self._admitted(told)
        return Admitted(told, number, self.index(number))

    def index(self, number: IdentityNumber) -> bytes:
        """The blind index under which a person's record is found."""
        return identity_index(self._index_key, number)

    async def known(self, admitted: Admitted) -> UUID | None:
        """The citizen whom an admitted person is already."""
        async with self._database.connection() as connection:
            return await rows.by_identity(connection, admitted.index)

    async def enrol_one_within(
        self, connection: Connection, citizen: UUID, admitted: Admitted
    ) -> bool:
        """Make a citizen of an admitted person, inside a change of that citizen's standing.

        Returns False, and writes nothing, where the identity has a record already.
        """
        return await rows.add(connection, self._new(citizen, admitted))

    async def is_named_within(self, connection: Connection, citizen: UUID, name: str) -> bool:
        """Whether a citizen has this name, as documents are typed (`same_name`)."""
        row = await rows.person(connection, citizen)
        if row is None or row.home is not None:
            return False
        held = identity_of(row, citizen, self._vault.person(row.wrapped_key, citizen))
        return same_name(held.name, name)

    async def enrol_within(self, connection: Connection, people: Mapping[UUID, Told]) -> None:
        """Make citizens of people who have no record, inside a change of their standings.

        For many at once; their logins are bound when they first sign in.

        Raises:
            IdentityRefused, AdultsOnly: as `enrol`, for one of them; then nobody is enrolled.
        """
        fresh = [self._new(citizen, self.admit(told)) for citizen, told in people.items()]
        await rows.add_many(connection, fresh)

    async def person(self, citizen: UUID) -> Person:
        """Who a citizen is.

        Raises:
            NotFound: the record was erased.
        """
        async with self._database.connection() as connection:
            row = await rows.person(connection, citizen)
        if row is None:
            raise NotFound
        if row.home is not None:
            return visitor_of(row.home, row, self._trust)
        return identity_of(row, citizen, self._vault.person(row.wrapped_key, citizen))

    def _admitted(self, told: Described) -> IdentityNumber:
        try:
            number = parse_identity_number(told.id_number)
            birthday = date.fromisoformat(told.birthdate)
        except ValueError:
            raise IdentityRefused("malformed") from None
        # An issuer of made-up people must not make up a real person, nor a real one a made-up one.
        if number.synthetic != self._synthetic:
            raise IdentityRefused("synthetic" if number.synthetic else "not-synthetic")
        if number.birthday != birthday:
            raise IdentityRefused("birthday")
        today = from_us(self._clock.now_us()).astimezone(SHANGHAI).date()
        if age_on(birthday, today) < ADULT_YEARS or not told.full_capacity:
            raise AdultsOnly
        return number

    async def _bind(self, told: Told, admitted: Admitted, subject: bytes) -> UUID:
        fresh = self._ids.random_uuid()
        # One transaction for all of a person: key, record, login and standing. Where another login
        # of the same person comes first, nothing of `fresh` is written and theirs is read.
        async with self._writer.change(fresh) as connection:
            added = await self.enrol_one_within(connection, fresh, admitted)
            citizen = fresh if added else await self._settled(connection, admitted.index)
            if not added:
                await self._vouch(connection, citizen, admitted)
            await rows.bind_login(connection, told.issuer, subject, citizen)
            if await rows.of_login(connection, told.issuer, subject) != citizen:
                raise IdentityRefused("login-of-another")
        return citizen

    async def _vouch(self, connection: Connection, citizen: UUID, admitted: Admitted) -> None:
        """Let what the identity provider vouches for replace what a counter typed."""
        row = await rows.person(connection, citizen)
        assert row is not None, "settled: the account cannot be closed meanwhile"
        seal = self._vault.person(row.wrapped_key, citizen)
        await rows.vouch(connection, citizen, _sealed(seal, citizen, admitted))

    async def _settled(self, connection: Connection, index: bytes) -> UUID:
        """Whose identity this is, with the account kept from being closed meanwhile.

        A login that is bound to an account after its closing would belong to nobody for ever.
        """
        citizen = await rows.by_identity(connection, index)
        if citizen is None or not await standing_rows.lock(connection, [citizen]):
            raise StillRunning
        return citizen

    def _new(self, citizen: UUID, admitted: Admitted) -> NewCitizen:
        wrapped = self._vault.new_key(citizen)
        return NewCitizen(
            id=citizen,
            identity_index=admitted.index,
            identity=_sealed(self._vault.person(wrapped, citizen), citizen, admitted),
            wrapped_key=wrapped,
            synthetic=admitted.number.synthetic,
        )


def identity_of(row: PersonRow, citizen: UUID, seal: Seal) -> Person:
    """Who a record says a citizen is.

    Raises:
        NotFound: it says nothing.
        SealBroken: it is another citizen's.
    """
    if row.identity is None:
        raise NotFound
    person = msgspec.json.decode(seal.open(row.identity, _place(citizen)), type=Person)
    return msgspec.structs.replace(person, synthetic=row.synthetic, since_us=row.created_us)


def visitor_of(home: str, row: PersonRow, trust: Trust | None) -> Person:
    """Who a visitor is: somebody from a city, called as the trust list calls it while there is one,
    else by its code."""
    city = trust.city(home) if trust is not None else None
    zh, en = (city.entry.name.zh, city.entry.name.en) if city is not None else (home, home)
    return Person(
        name=f"来自{zh}的访客 / visitor from {en}",
        home=home,
        synthetic=row.synthetic,
        since_us=row.created_us,
    )


def _sealed(seal: Seal, citizen: UUID, admitted: Admitted) -> bytes:
    number = admitted.number
    person = Person(name=admitted.told.name, id_number=number.text, birthdate=number.birthday)
    return seal.seal(msgspec.json.encode(person), _place(citizen))


def _place(citizen: UUID) -> bytes:
    return b"citizen/identity/" + citizen.bytes
