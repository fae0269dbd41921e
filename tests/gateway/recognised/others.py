"""What a city knows of others, arranged for tests: real entries with real keys, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import Kind, SchemeName
from gateway.ids import SystemIds
from gateway.jwk import Alg, Key, public_jwk
from gateway.recognition.entry import City, parse_entry
from gateway.recognition.parts import Others
from gateway.store.database import Connection

SCHEME = SchemeName(id="example-delta", version=1)
TIERS = ("T1", "T2")
_SIZE = 1 << 17


class Agreed(msgspec.Struct, frozen=True):
    """What is open with a city."""

    scenarios: frozenset[str] = frozenset({"library", "rent"})
    scheme: SchemeName = SCHEME


class Slot(msgspec.Struct, frozen=True):
    """A place in the one list."""

    list: int
    idx: int
    uri: str


class Table(msgspec.Struct, frozen=True):
    """A scheme of two tiers: the library needs the lower one, renting `rent`."""

    rent: str = "T1"
    start: date = date(2026, 1, 1)
    bands: tuple[tuple[int, int], ...] = ((4, 5), (5, 6))

    def is_valid_on(self, day: date) -> bool:
        return self.start <= day

    def tier_of(self, city: str, band: int) -> str | None:
        found = [t for t, (low, high) in zip(TIERS, self.bands, strict=True) if low <= band < high]
        return found[0] if found else None

    def band_of(self, city: str, tier: str) -> int:
        return self.bands[TIERS.index(tier)][0]

    def open_to(self, tier: str | None, wanted: Iterable[str]) -> tuple[str, ...]:
        return tuple(each for each in wanted if tier is not None and tier >= self._need(each))

    def needed(self, scenarios: tuple[str, ...]) -> str:
        return max(self._need(each) for each in scenarios)

    def limit(self, scenario: str, tier: str) -> int | None:
        return {"T1": 50_000, "T2": 100_000}[tier] if scenario == "rent" else None

    def _need(self, scenario: str) -> str:
        return self.rent if scenario == "rent" else "T1"


class Neighbours:
    """Trust, schemes and status lists at once."""

    def __init__(self) -> None:
        self.cities: dict[str, City] = {}
        self.agreements: dict[str, Agreed] = {}
        self.table = Table()

    def others(self) -> Others:
        return Others(self, self, self)

    def city(self, code: str) -> City | None:
        return self.cities.get(code)

    def agreed(self, code: str, now_us: int) -> Agreed | None:
        return self.agreements.get(code)

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        city = self.cities.get(issuer)
        return city.keys.get(("client", kid)) if city and kind is Kind.ASSERTION else None

    def get(self, scheme: str, version: int) -> Table | None:
        return self.table if (scheme, version) == (SCHEME.id, SCHEME.version) else None

    async def allocate_within(self, connection: Connection) -> Slot:
        number = await connection.fetchval(
            "INSERT INTO status_list (size) SELECT $1 WHERE NOT EXISTS (SELECT FROM status_list)"
            " RETURNING id",
            _SIZE,
        ) or await connection.fetchval("SELECT id FROM status_list")
        place = int.from_bytes(SystemIds().random_bytes(3)) % _SIZE
        return Slot(number, place, f"http://127.0.0.1:8700/status-lists/{number}")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk_of(kid: str, private: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    return public_jwk(Key(kid, Alg.ES256, private.public_key()))


def listed(code: str, client: ec.EllipticCurvePrivateKey, **changes: Any) -> City:
    """A city as an entry of the list, with this client key."""
    issuer = f"https://{code}.example"
    keys = [("client", client), ("grant", new_key()), ("status", new_key())]
    entry = {
        "code": code,
        "name": {"zh": f"示例城市{code}", "en": f"Example city {code}"},
        "contact": f"示例：{code}-00000000",
        "issuer": issuer,
        "endpoints": {name: f"{issuer}/oauth/{name}" for name in ("par", "authorize", "token")},
        "redirect_uris": [f"{issuer}/recognition/callback", f"{issuer}/recognition/other"],
        "scenarios": ["library", "rent"],
        "schemes": [{"id": SCHEME.id, "version": SCHEME.version}],
        "keys": [{"purpose": p, "jwk": jwk_of(f"{p}-{code}", key)} for p, key in keys],
        "operators": [
            {"name": f"示例-{n}", "jwk": jwk_of(f"operator-{n}", new_key())} for n in (1, 2)
        ],
    }
    return parse_entry(msgspec.json.encode(entry | changes))
