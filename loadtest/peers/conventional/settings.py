"""What the service needs to know, from its environment. It imports nothing of the service."""

from __future__ import annotations

import os

import msgspec

SCOPE = "scenario:rent"
CACHE_PREFIX, CACHE_TTL_S = "conventional:", 3600

_PREFIX = "CONVENTIONAL_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses, and the key that verifies tokens."""

    database_url: str
    """SQLAlchemy's: postgresql+asyncpg://…"""
    valkey_url: str
    issuer: str
    public_key: str
    """PEM."""
    pool: int = 20
    """Connections to PostgreSQL of one worker."""

    @classmethod
    def of_environment(cls) -> Settings:
        """The settings that `environment` wrote."""
        given = {
            name[len(_PREFIX) :].lower(): value
            for name, value in os.environ.items()
            if name.startswith(_PREFIX)
        }
        return msgspec.convert(given, cls, strict=False)

    def environment(self) -> dict[str, str]:
        """Variables for a worker."""
        return {
            _PREFIX + name.upper(): str(value)
            for name, value in msgspec.structs.asdict(self).items()
        }
