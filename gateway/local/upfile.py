"""`up.json`: what people's scripts need to talk to a city that is up, keys included; mode 0600."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import msgspec.structs

from gateway.errors import GatewayError
from gateway.local.places import write_private
from gateway.small_file import read_small

#: The name of the file in the data folder.
NAME = "up.json"

#: Bytes of the largest: parties, desks and personas of a whole city.
_BYTES: Final = 4 * 1024 * 1024


class NotUp(GatewayError):
    """There is no file of a running city; the message says how to get one."""


class UpParty(msgspec.Struct, frozen=True):
    """A party with its private key."""

    role: str
    client_id: str
    jwk: dict[str, str]
    scopes: list[str]


class UpPersona(msgspec.Struct, frozen=True):
    """A persona, its story, and its names at the parties that know it."""

    login: str
    story: dict[str, str]
    subjects: dict[str, str]


class UpStaff(msgspec.Struct, frozen=True):
    """A member of a party's staff, who signs in at `/counter/`; `totp_secret` is base32."""

    party: str
    login: str
    password: str
    totp_secret: str


class UpDesk(msgspec.Struct, frozen=True):
    """A place where a party meets citizens; `link` is what its printed code says, if it has one."""

    number: str
    party: str
    kind: str
    place: str
    scenario: str | None
    link: str | None


class UpOperator(msgspec.Struct, frozen=True):
    """What operators' commands need for this city, as their settings name it."""

    owner_url: str
    valkey_url: str
    keys_file: str
    issuer: str
    city: str
    city_contact: str = ""
    trust_list_url: str = ""  # empty: it belongs to no region
    trust_list_keys: str = ""
    allow_loopback_http: str = "true"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of `qianjiang staff`, `desks`, `corrections` and the others."""
        given = msgspec.structs.asdict(self)
        return {f"QIANJIANG_{name.upper()}": value for name, value in given.items()}


class UpFile(msgspec.Struct, frozen=True):
    """The whole file."""

    base_url: str
    identity_url: str
    parties: list[UpParty]
    desks: list[UpDesk]
    personas: list[UpPersona]
    subjects_file: str
    staff: list[UpStaff] = []
    operator: UpOperator | None = None

    def party(self, client_id: str) -> UpParty:
        """The party of a client id.

        Raises:
            NotUp: there is none; the message lists those there are.
        """
        for party in self.parties:
            if party.client_id == client_id:
                return party
        known = ", ".join(party.client_id for party in self.parties)
        raise NotUp(f"no party {client_id!r}; there are: {known}")

    def clerk(self, party: str) -> UpStaff:
        """The member of staff of a party.

        Raises:
            NotUp: it has none; the message lists the parties that do.
        """
        for each in self.staff:
            if each.party == party:
                return each
        known = ", ".join(each.party for each in self.staff)
        raise NotUp(f"no staff at {party!r}; there are: {known}")


def write(path: Path, up: UpFile) -> None:
    """Write the file whole or not at all, for its owner only."""
    write_private(path, msgspec.json.format(msgspec.json.encode(up)).decode() + "\n")


def read(path: Path) -> UpFile:
    """Read the file.

    Raises:
        NotUp: it is not there or not whole; the message says what to do.
        OSError: it cannot be read.
    """
    try:
        return msgspec.json.decode(read_small(path, _BYTES), type=UpFile)
    except FileNotFoundError:
        raise NotUp(f"no city is up ({path} is missing); run `make up` first") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotUp(f"{path} is not an up.json of this version; run `make up` again") from None
