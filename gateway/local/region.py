"""The region of cities on one machine: who is on the trust list, and what their operators signed.

NOT FOR PRODUCTION: the key that signs the list lies in the folder beside it. A folder holds the
cities' entries (`cities/CODE.json`), their operators' statements (`statements/*.jws`) and
`region.json`: the region's id, its signing key, and the serial of what the list said last. Every
look at the folder that finds other content raises the serial first, and keeps it before a list
with it leaves, so that one serial never stands for two contents.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from gateway.claims import AgreementClaims, Kind, TrustListClaims
from gateway.client_keys import private_key
from gateway.clock import SECOND_US, Clock
from gateway.jose import sign
from gateway.local import region_file
from gateway.local.places import write_private
from gateway.local.region_changes import Admitted, Standing, judge, lost, stranger
from gateway.local.region_file import RegionFile
from gateway.local.region_rules import RegionDeclines, fault_of_size
from gateway.local.region_statements import Agreement, claims_of, proved
from gateway.recognition.entry import City, parse_entry

#: Where the list is, below the region's own address.
LIST: Final = "/trust-list"

#: Seconds: how long a list is good, and after how many it is to be fetched again.
LIFE_S, TTL_S = 60, 10

CITIES_MAX, STATEMENTS_MAX = 400, 1_000

_LOCK, _CITIES, _STATEMENTS, _REPLACED = "region.lock", "cities", "statements", "replaced"


class LocalRegion:
    """A region over a folder that commands and the server share.

    `allow_loopback_http` lets cities of this machine in, whose addresses are plain http.
    """

    def __init__(self, folder: Path, clock: Clock, *, allow_loopback_http: bool = True) -> None:
        self.folder = folder
        self._clock = clock
        self._loopback = allow_loopback_http

    @property
    def file(self) -> RegionFile:
        """What it keeps about itself. Raises RegionDeclines where it was not begun."""
        return region_file.read(self.folder)

    @property
    def begun(self) -> bool:
        """Whether there is a region in the folder."""
        return (self.folder / region_file.NAME).exists()

    @property
    def url(self) -> str:
        """The address of its list."""
        return self.file.id + LIST

    def begin(self, address: str) -> None:
        """Make the folder and a signing key. `address` is an origin without a trailing slash.

        Raises:
            RegionDeclines: it is none, or there is a region already, whose key others rely on.
        """
        if self.begun:
            raise RegionDeclines(f"{self.folder} has a region; its key is never replaced")
        file = region_file.new(address)
        for name in (_CITIES, _STATEMENTS):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        region_file.keep(self.folder, file)

    def begin_at(self, address: str) -> None:
        """Begin, or go on at this address where it was begun at another one.

        Its address is its name: cities must pin it anew, and what operators signed before, for the
        region of the former name, is forgotten. Key and serial go on.
        """
        if not self.begun:
            self.begin(address)
        elif self.file.id != address:
            region_file.keep(self.folder, msgspec.structs.replace(self.file, id=address))
            self.tidy()

    def tidy(self) -> None:
        """Forget statements that count for nothing any more: for a region of another name, or by a
        city that has moved to another address. Those of cities that left the list stay."""
        with self._changing() as file:
            moved = {city.entry.code: city.entry.issuer for city in self.cities().values()}
            for path in (self.folder / _STATEMENTS).glob("*.jws"):
                claims = claims_of(_text(path))
                speakers = {moved.get(code, claims.iss) for code in claims.cities}
                if claims.aud != file.id or claims.iss not in speakers:
                    path.unlink()

    def pinned(self) -> bytes:
        """The file that cities pin: the region's name and the public half of its key."""
        return self.file.pinned()

    def cities(self) -> dict[str, City]:
        """Who is on the list, by code."""
        return {
            path.stem: parse_entry(path.read_bytes(), allow_loopback_http=self._loopback)
            for path in self._entries()
        }

    def agreements(self) -> list[Agreement]:
        """What was said about agreements whose cities are both on the list."""
        here = {path.stem for path in self._entries()}
        said = dict[str, list[str]]()
        for path in sorted((self.folder / _STATEMENTS).glob("*.jws")):
            compact = _text(path)
            claims = claims_of(compact)
            if here.issuperset(claims.cities):
                said.setdefault(claims.agreement, []).append(compact)
        return [Agreement(name, tuple(statements)) for name, statements in sorted(said.items())]

    def admit(self, raw: bytes, *, replace: bool = False) -> Admitted:
        """Put a city on the list, or change its entry.

        An entry that may be another city's takes the place of one on the list only if `replace` is
        said; the one that goes is kept in the folder, as far as no later one of its code goes too.

        Raises:
            EntryRefused: the entry is not one that others could rely on.
            RegionDeclines: another city has its code or one of its keys, or there is no room.
        """
        city = parse_entry(raw, allow_loopback_http=self._loopback)
        code = city.entry.code
        with self._changing() as file:
            listed = self.cities()
            before, others = listed.pop(code, None), tuple(listed.values())
            if len(others) >= CITIES_MAX:
                raise RegionDeclines(f"the list has room for {CITIES_MAX} cities")
            said = {each.id: each.statements for each in self.agreements()}
            standing = Standing(
                others=others, said=said, region=file.id, now_us=self._clock.now_us()
            )
            judge(before, city, standing, replace=replace)
            former, path = None, self.folder / _CITIES / f"{code}.json"
            if stranger(before, city):
                former = self.folder / _REPLACED / path.name
                former.parent.mkdir(mode=0o700, exist_ok=True)
                write_private(former, path.read_text())
            self._file(path, raw.decode())
        return Admitted(city, former, lost(before, city, standing))

    def expel(self, code: str) -> None:
        """Take a city off the list: within its life nobody relies on it any more.

        Raises:
            RegionDeclines: it is not on it.
        """
        with self._changing():
            if code not in self.cities():
                raise RegionDeclines(f"{code} is not on the list")
            (self.folder / _CITIES / f"{code}.json").unlink()

    def accept(self, compact: str) -> AgreementClaims:
        """File what an operator said about an agreement; whether it is in force follows from all.

        Raises:
            RegionDeclines: it is no statement, not signed by an operator of a city on the list that
                it is about, or there is no room.
        """
        with self._changing() as file:
            claims = proved(compact, self.cities(), file.id, self._clock.now_us())
            filed = self.folder / _STATEMENTS
            theirs = (claims_of(_text(path)) for path in filed.glob(f"{claims.agreement}.*"))
            if any(each.cities != claims.cities for each in theirs):
                raise RegionDeclines(f"{claims.agreement} is the id of another pair's agreement")
            if len(list(filed.glob("*.jws"))) >= STATEMENTS_MAX:
                raise RegionDeclines(f"there is room for {STATEMENTS_MAX} statements")
            name = hashlib.sha256(compact.encode()).hexdigest()[:16]
            self._file(filed / f"{claims.agreement}.{name}.jws", compact + "\n")
        return claims

    def publish(self) -> str:
        """The list as it is now, as a signed token."""
        with self._changing() as file:
            now = self._clock.now_us() // SECOND_US
            claims = TrustListClaims(
                iss=file.id,
                sub=file.id + LIST,
                iat=now,
                exp=now + LIFE_S,
                ttl=TTL_S,
                serial=file.serial,
                cities=tuple(msgspec.Raw(path.read_bytes()) for path in self._entries()),
                agreements=tuple(msgspec.Raw(msgspec.json.encode(a)) for a in self.agreements()),
            )
            return sign(Kind.TRUST_LIST, claims, file.key["kid"], private_key(file.key))

    def _file(self, place: Path, text: str) -> None:
        """Keep a part of the list, unless the list would become too long for its readers."""
        said = list((self.folder / _STATEMENTS).glob("*.jws"))
        parts = [*self._entries(), *said]
        sizes = {path: path.stat().st_size for path in parts} | {place: len(text.encode())}
        about = {path.name.partition(".")[0] for path in [*said, place]}
        if (fault := fault_of_size(sizes.values(), len(about))) is not None:
            raise RegionDeclines(fault)
        write_private(place, text)

    @contextmanager
    def _changing(self) -> Iterator[RegionFile]:
        """Alone with the folder; the serial is right before the block and after it."""
        assert self.file, "there is a region, or its absence is said"
        with (self.folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._counted()
            self._counted()

    def _counted(self) -> RegionFile:
        """The region with a serial that stands for what the folder says."""
        file, digest = self.file, hashlib.sha256()
        for part in [*(path.read_bytes() for path in self._entries()), *self._statements()]:
            digest.update(hashlib.sha256(part).digest())
        if digest.hexdigest() != file.content:
            # At least the time, so that a region whose file is lost, begun anew, does not fall
            # behind what its cities have kept.
            serial = max(file.serial + 1, self._clock.now_us() // SECOND_US)
            file = msgspec.structs.replace(file, serial=serial, content=digest.hexdigest())
            region_file.keep(self.folder, file)
        return file

    def _entries(self) -> list[Path]:
        return sorted((self.folder / _CITIES).glob("*.json"))

    def _statements(self) -> list[bytes]:
        return [msgspec.json.encode(agreement) for agreement in self.agreements()]


def _text(statement: Path) -> str:
    """A statement that is filed; what is no text in it makes it none."""
    return statement.read_bytes().decode("ascii", "replace").strip()
