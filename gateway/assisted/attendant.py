"""Who serves a person without a phone, and the document that was checked.

The document's number is read to find a record or to make one. It is never answered, logged or
kept: what the city knows of the person is sealed (gateway/citizens.py).
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway.errors import Malformed
from gateway.identity_number import Described, IdentityNumber, parse_identity_number

#: Documents that show a photograph and the identity number, so that staff can check both.
DOCUMENTS: Final = ("resident_identity_card", "temporary_identity_card", "social_security_card")


class Attendant(msgspec.Struct, frozen=True):
    """A member of a party's staff at a desk: account, name, the party's client id, place.

    `session` names the session in which the person serves, as `Clerk.session` does.
    """

    staff: UUID
    name: str
    party: str
    place: str
    session: bytes


class Document(Described, frozen=True, kw_only=True):
    """A document as staff read it; `full_capacity` is what they attest of the person before them.

    `kind` is one of `DOCUMENTS`; `birthdate` an ISO date.
    """

    kind: str


def number_of(text: str, pointer: str) -> IdentityNumber:
    """The identity number that was typed.

    Raises:
        Malformed: it is none; a typing error, mostly, which says nothing about anybody.
    """
    try:
        return parse_identity_number(text)
    except ValueError:
        raise Malformed([(pointer, "not an identity number; check it digit by digit")]) from None


def check_document(document: Document) -> None:
    """Refuse what staff can put right by looking at the document again.

    Raises:
        Malformed: the number is none, or its birthday is not the one that was read.
    """
    number = number_of(document.id_number, "/document/id_number")
    if number.birthday.isoformat() != document.birthdate:
        raise Malformed([("/document/birthdate", "not the birthday in the identity number")])
