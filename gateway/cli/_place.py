"""Which city a command about other cities speaks for: from the environment of its services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gateway.claims import SchemeName
from gateway.cli._owner import as_owner
from gateway.keys import KeyFileError, Keyring, load_keys
from gateway.recognition.agreements import Statement
from gateway.recognition.region import Region, load_region
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import TrustList, read_kept
from gateway.store import trust_list as rows
from gateway.store.migrate import Connection

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(dir_okay=False, path_type=Path)

#: The options of the group, each with the variable that the services read it from.
_OPTIONS = (
    ("--owner-url", "QIANJIANG_OWNER_URL", str, "The database as its owner role, postgresql://…"),
    ("--issuer", "QIANJIANG_ISSUER", str, "This city's gateway, an https origin."),
    ("--city", "QIANJIANG_CITY", str, "This city's GB/T 2260 code."),
    ("--contact", "QIANJIANG_CITY_CONTACT", str, "How this city is reached."),
    ("--keys-file", "QIANJIANG_KEYS_FILE", _PATH, "This city's secret keys."),
    ("--list-url", "QIANJIANG_TRUST_LIST_URL", str, "The address of the region's list."),
    ("--list-keys", "QIANJIANG_TRUST_LIST_KEYS", _PATH, "The region's pinned keys."),
    ("--allow-loopback-http", "QIANJIANG_ALLOW_LOOPBACK_HTTP", bool, "For a local city only."),
)


class Known(msgspec.Struct, frozen=True):
    """The list that the city keeps. `expires_us` is µs since the epoch."""

    listed: TrustList
    expires_us: int
    statements: dict[str, tuple[Statement, ...]]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about the city; a command asks for what it needs."""

    owner_url: str | None = None
    issuer: str | None = None
    city: str | None = None
    contact: str | None = None
    keys_file: Path | None = None
    list_url: str | None = None
    list_keys: Path | None = None
    allow_loopback_http: bool = False

    def need(self, name: str) -> Any:
        """One of the values.

        Raises:
            ClickException: it was not given; the message names the variable.
        """
        value = getattr(self, name)
        if value is None:
            option, variable, _, meaning = next(
                each for each in _OPTIONS if each[0][2:].replace("-", "_") == name
            )
            raise click.ClickException(f"set {variable} (or {option}): {meaning}")
        return value

    def keyring(self) -> Keyring:
        """The city's keys."""
        try:
            return load_keys(self.need("keys_file"))
        except KeyFileError as fault:
            raise click.ClickException(str(fault)) from None

    def region(self) -> Region:
        """Who signs the list."""
        return load_region(self.need("list_keys"))

    def known(self) -> Known:
        """The list that the background worker fetched last, whether its time is over or not.

        Raises:
            ClickException: there is none yet.
        """
        found = as_owner(self.owner_url, self.read)
        if found is None:
            raise click.ClickException(
                "no list of cities was fetched yet: is `qianjiang worker` running, and "
                f"does {self.need('list_url')} answer?"
            )
        return found

    async def read(self, connection: Connection) -> Known | None:
        """The same, None where there is none."""
        region = self.region()
        kept = await rows.kept(connection)
        if kept is None:
            return None
        head, token = kept
        listed = read_kept(
            token,
            region,
            iss=region.iss,
            url=self.need("list_url"),
            allow_loopback_http=self.allow_loopback_http,
        )
        return Known(listed, head.expires_us, Statements(self.need("city")).read(listed))


def place_options(command: F) -> F:
    """The options that say which city it is."""
    for option, variable, kind, meaning in reversed(_OPTIONS):
        command = click.option(option, envvar=variable, show_envvar=True, type=kind, help=meaning)(
            command
        )
    return command


def scheme_named(text: str) -> SchemeName:
    """A scheme from `id:version`.

    Raises:
        ClickException: the text is not of that form.
    """
    name, _, version = text.rpartition(":")
    try:
        return msgspec.convert({"id": name, "version": int(version)}, SchemeName)
    except (ValueError, msgspec.ValidationError):
        raise click.ClickException(
            f"--scheme {text}: an id and a version are wanted, such as delta-example:1"
        ) from None
