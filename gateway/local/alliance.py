"""Cities of one machine become partners: operators, entries, a signed agreement.

Each demonstration city has two operators whose keys this machine keeps beside the city's own, so
that commands can do at once what people of two cities would do over weeks.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from gateway.claims import AgreementClaims, Kind, SchemeName
from gateway.client_keys import new_client_key, private_key
from gateway.clock import SECOND_US, Clock
from gateway.jose import kid_of, sign
from gateway.jwk import Alg, Key, public_jwk
from gateway.keys import Keyring, SigningKeys, load_keys
from gateway.local.atlas import DemoCity
from gateway.local.places import write_private
from gateway.local.region import LocalRegion
from gateway.local.region_statements import claims_of
from gateway.local.running import RunningCity
from gateway.recognition.entry import CityKey, Endpoints, Entry, Operator, Purpose, Words

#: What the demonstration's cities recognise, and by which table.
SCENARIOS: Final = ("library", "rent")
SCHEMES: Final = (
    SchemeName(id="example-delta", version=1),
    SchemeName(id="example-delta", version=2),
)

#: The agreement's days, in Shanghai; `to` is exclusive.
FROM, TO = date(2026, 1, 1), date(2036, 1, 1)

OPERATORS = 2

Act: TypeAlias = Literal["sign", "suspend", "resume", "end"]


def operator_file(data: Path, number: int) -> Path:
    """Where the private JWK of a city's operator is, counted from 1."""
    return data / "secrets" / f"operator-{number}.jwk"


def public_file(data: Path, number: int) -> Path:
    """Where their public part is, as `qianjiang cities entry` takes it."""
    return data / f"operator-{number}.json"


def publics(signers: list[dict[str, str]]) -> tuple[Operator, ...]:
    """A city's operators as its entry names them."""
    return tuple(
        Operator(name=f"示例操作员{number}", jwk=_public(jwk))
        for number, jwk in enumerate(signers, 1)
    )


def operators(data: Path) -> list[dict[str, str]]:
    """The private JWKs of a city's two operators; made once, kept in its folder, and beside them
    what the city's entry says of them."""
    files = [operator_file(data, number) for number in range(1, OPERATORS + 1)]
    for file in files:
        if not file.exists():
            write_private(file, msgspec.json.encode(new_client_key().private).decode())
    signers = [msgspec.json.decode(file.read_bytes(), type=dict[str, str]) for file in files]
    for number, each in enumerate(publics(signers), 1):
        write_private(public_file(data, number), msgspec.json.encode(each).decode())
    return signers


def entry_of(city: DemoCity, address: str, keys: Keyring, signers: list[dict[str, str]]) -> Entry:
    """The entry of the city at `address` in the region's list; `signers` are its operators."""
    return Entry(
        code=city.code,
        name=Words(zh=f"{city.zh}（示例）", en=f"{city.en} (example)"),
        contact=city.contact,
        issuer=address,
        endpoints=Endpoints(
            par=f"{address}/oauth/par",
            authorize=f"{address}/oauth/authorize",
            token=f"{address}/oauth/token",
        ),
        redirect_uris=(f"{address}/recognition/callback",),
        scenarios=SCENARIOS,
        schemes=SCHEMES,
        keys=(
            *_published("client", keys.city_client),
            *_published("grant", keys.city_grant),
            *_published("status", keys.city_status),
        ),
        operators=publics(signers),
    )


def agreement_id(one: DemoCity, other: DemoCity) -> str:
    """The name of the agreement of two cities."""
    return f"example-{'-'.join(sorted((one.code, other.code)))}"


def ally(region: LocalRegion, cities: list[RunningCity], clock: Clock) -> None:
    """Admit the cities and see that each pair of them has a signed agreement."""
    for running in cities:
        keys = load_keys(running.keys_file)
        entry = entry_of(running.city, running.base_url, keys, operators(running.data))
        # These cities are the command's own, whatever the list says of their codes.
        region.admit(msgspec.json.encode(entry), replace=True)
    region.tidy()
    signed = {
        (agreement.id, claims_of(each).iss, kid_of(each))
        for agreement in region.agreements()
        for each in agreement.statements
    }
    now_s = clock.now_us() // SECOND_US
    for one, other in combinations(cities, 2):
        claims = statement(region.file.id, "sign", one.city, other.city)
        for running in (one, other):
            for compact in said(running.data, running.base_url, claims, now_s):
                # At another address, or with keys made anew, what was signed before is nothing.
                if (claims.agreement, running.base_url, kid_of(compact)) not in signed:
                    region.accept(compact)


def statement(region: str, act: Act, one: DemoCity, other: DemoCity) -> AgreementClaims:
    """What may be said about the agreement of two cities; who says it and when comes with the
    signature. Only `sign` has terms."""
    signing = act == "sign"
    low, high = sorted((one.code, other.code))
    return AgreementClaims(
        iss="-",
        aud=region,
        iat=0,
        agreement=agreement_id(one, other),
        act=act,
        cities=(low, high),
        scenarios=SCENARIOS if signing else msgspec.UNSET,
        scheme=SCHEMES[-1] if signing else msgspec.UNSET,
        from_=FROM if signing else msgspec.UNSET,
        to=TO if signing else msgspec.UNSET,
    )


def said(data: Path, issuer: str, claims: AgreementClaims, now_s: int) -> list[str]:
    """The statement, signed by each operator of the city whose folder is `data`, at this second."""
    mine = msgspec.structs.replace(claims, iss=issuer, iat=now_s)
    return [sign(Kind.AGREEMENT, mine, jwk["kid"], private_key(jwk)) for jwk in operators(data)]


def _published(purpose: Purpose, keys: SigningKeys) -> tuple[CityKey, ...]:
    """The public halves, each under its kid."""
    return tuple(
        CityKey(purpose=purpose, jwk=public_jwk(Key(kid, Alg.ES256, key.public_key())))
        for kid, key in keys.items()
    )


def _public(private: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in private.items() if name != "d"}
