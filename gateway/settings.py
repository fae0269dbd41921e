"""Everything that can be set, in one frozen struct, read once from the environment.

Nothing else in the gateway looks at the environment. Each setting is `QIANJIANG_` and the field's
name in capitals. Contradictions refuse to start instead of weakening a promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gateway.gcra import BURST_MAX, RATE_MAX

_PREFIX = "QIANJIANG_"


#: What whole-number settings may be: least and most.
BOUNDS: Final = (
    ("workers", 1, 10_000),
    ("party_rate_per_s", 1, RATE_MAX),
    ("party_burst", 1, BURST_MAX),
    ("bad_signatures_max", 1, 10_000),
    ("admission_per_s", 0, 1_000_000),
    ("admission_in_flight", 1, 100_000),
    ("admission_waiting", 0, 100_000),
)


class SettingsError(Exception):
    """A setting is missing or contradicts another; the message names it and the remedy."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway process needs to know."""

    issuer: str
    """The gateway's own https address, without a trailing slash: issuer and audience of tokens."""
    city: str
    """GB/T 2260 code of the city."""
    city_name: str = "杭州市信用中心（示例）"
    """Who handles the data, shown in notices (PIPL 17)."""
    city_contact: str = "示例：0571-00000000"
    """How to reach the handler, shown in notices."""
    database_url: str
    """PostgreSQL, as the role qianjiang_gateway, on the primary."""
    valkey_url: str
    """Valkey; losing it costs speed only."""
    keys_file: Path
    """The file of secret keys, mode 0600."""
    oidc_issuer: str
    """The identity provider's issuer."""
    oidc_client_id: str = "qianjiang-gateway"
    oidc_synthetic: bool = False
    """The issuer hands out synthetic people (identity numbers with region prefix 99) only."""
    oidc_claim_identity: str = "id_number"
    """The ID token's claim that carries the identity number."""
    oidc_claim_name: str = "name"
    oidc_claim_birthdate: str = "birthdate"
    oidc_claim_capacity: str = "full_capacity"
    """The claim that says whether the person has full civil capacity (民法典 18, 22)."""
    allow_loopback_http: bool = False
    """Plain http between loopback addresses: the demo and tests only."""

    trust_list_url: str = ""
    """The region's signed list of cities; empty = this city recognises none."""
    trust_list_keys: str = ""
    """File `{"iss": …, "keys": [JWK, …]}`: the region's name and public keys. No others may sign
    that list."""

    token_ttl_s: int = 300
    """Life of an access token; Bearer tokens never live longer than 300 s."""
    dpop_nonce_required: bool = False
    """Demand a nonce of this gateway in every DPoP proof, not only where a proof's time is off."""
    workers: int = 2
    """Worker processes of the city, on all its machines: each keeps its share of bounds that are
    the whole city's. `serve` sets it to its own `--workers` where it is not set."""
    party_rate_per_s: int = 2000
    """Requests a second that a party without a limit of its own may make for ever."""
    party_burst: int = 4000
    """Requests that it may make at once after a rest; at least a second's worth."""
    token_attempts_per_s: float = 5.0
    """Token requests a second of one client at one address, at one worker, for ever; of a city,
    which speaks for many people, ten times as many. So often may visits be begun from one address
    as well."""
    token_attempts_burst: int = 60
    """Token requests that it may make at once after a rest."""
    bad_signatures_max: int = 50
    """Bad signatures in one client's name that a worker looks at in ten seconds; what comes after
    them is refused unlooked at. Ten times as many for all names, or one address, together."""
    admission_per_s: int = 0
    """Requests a second that the city lets in, all workers together; 0 = as many as there is
    room for."""
    admission_in_flight: int = 256
    """Requests that one worker works on at a time."""
    admission_waiting: int = 512
    """Requests that may wait for that in one worker, the least urgent given up first."""
    session_ttl_s: int = 1800
    consent_request_ttl_s: int = 900
    """How long a citizen may take to decide a party's request for consent."""
    answer_ttl_s: int = 60
    """An answer is a statement about an instant, good for at most so long."""
    batch_max: int = 128
    """Decisions in one commit statement."""
    waiting_max: int = 2048
    """Decisions waiting in one worker before further ones are told to come back."""
    decision_deadline_s: float = 2.0
    """A decision that could not be sent to PostgreSQL by then is not sent at all."""
    pool_max: int = 6
    """Connections to PostgreSQL of one worker, besides the committer's own."""
    database_timeout_s: float = 1.0
    cache_timeout_s: float = 0.1
    cache_ttl_s: int = 3600
    """A standing stays in the cache for so long, shortened at random by up to a quarter."""
    amounts_max: int = 8
    """Distinct facts a legal entity may ask of one citizen and scenario in a day."""
    metrics_host: str = "127.0.0.1"
    """Address that Prometheus scrapes; what is shown there is open to whoever reaches it."""
    metrics_port: int = 8702
    """Its port, one for all processes of a city on one machine; 0 = no metrics."""

    def __post_init__(self) -> None:
        if not self.allow_loopback_http:
            for name in ("issuer", "oidc_issuer"):
                if not getattr(self, name).startswith("https://"):
                    raise SettingsError(f"{_PREFIX}{name.upper()} must be an https address")
        elif not is_loopback(self.issuer):
            raise SettingsError(
                f"{_PREFIX}ALLOW_LOOPBACK_HTTP is for loopback addresses, not for {self.issuer}"
            )
        if self.issuer.endswith("/"):
            raise SettingsError(
                f"{_PREFIX}ISSUER must not end with a slash: it is compared exactly"
            )
        self._check_region()
        if not 1 <= self.token_ttl_s <= 300:
            raise SettingsError(f"{_PREFIX}TOKEN_TTL_S must be 1 to 300")
        if not 1 <= self.answer_ttl_s <= 60:
            raise SettingsError(f"{_PREFIX}ANSWER_TTL_S must be 1 to 60")
        if not 0 <= self.metrics_port <= 65535:
            raise SettingsError(f"{_PREFIX}METRICS_PORT must be 0 to 65535")
        self._check_bounds()

    def _check_region(self) -> None:
        # A list without a pinned key would be anybody's.
        if bool(self.trust_list_url) != bool(self.trust_list_keys):
            raise SettingsError(
                f"{_PREFIX}TRUST_LIST_URL and {_PREFIX}TRUST_LIST_KEYS belong together"
            )
        local = self.allow_loopback_http and is_loopback(self.trust_list_url)
        if self.trust_list_url and not local and not self.trust_list_url.startswith("https://"):
            raise SettingsError(f"{_PREFIX}TRUST_LIST_URL must be an https address")

    def _check_bounds(self) -> None:
        # No bound is switched off by a zero: it would be unlimited where nobody looks.
        for name, least, most in BOUNDS:
            if not least <= getattr(self, name) <= most:
                raise SettingsError(f"{_PREFIX}{name.upper()} must be {least} to {most}")
        if self.party_burst < self.party_rate_per_s:
            raise SettingsError(f"{_PREFIX}PARTY_BURST must be at least {_PREFIX}PARTY_RATE_PER_S")


def is_loopback(url: str) -> bool:
    """Whether an address names this machine only."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a name such as 127.0.0.1.example.com is anybody's


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables.

    Raises:
        SettingsError: one is missing, of the wrong type, unknown, or contradicts another.
    """
    fields = {field.name for field in msgspec.structs.fields(Settings)}
    given = {
        name[len(_PREFIX) :].lower(): value
        for name, value in environ.items()
        if name.startswith(_PREFIX)
    }
    known = {name: value for name, value in given.items() if name in fields}
    missing = [
        _PREFIX + field.encode_name.upper()
        for field in msgspec.structs.fields(Settings)
        if field.required and field.encode_name not in known
    ]
    if missing:
        raise SettingsError(f"not set: {', '.join(missing)}")
    try:
        return msgspec.convert(known, Settings, strict=False, dec_hook=_from_text)
    except msgspec.ValidationError as fault:
        raise SettingsError(_named(str(fault))) from None


def _named(fault: str) -> str:
    """A fault of conversion with the variable's name in place of the field's path."""
    words, _, path = fault.partition(" - at `$.")
    return f"{_PREFIX}{path.rstrip('`').upper()}: {words[:1].lower()}{words[1:]}"


def _from_text(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(kind)


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that would give these settings: how a supervisor hands them to workers."""
    return {
        _PREFIX + name.upper(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in msgspec.structs.asdict(settings).items()
    }
