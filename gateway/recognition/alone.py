"""A city that knows no other one."""

from __future__ import annotations

from gateway.claims import Kind
from gateway.errors import DependencyDown
from gateway.jwk import Key
from gateway.recognition.entry import City
from gateway.recognition.parts import Agreed, Others, Scheme, Slot
from gateway.store.database import Connection


class _Nobody:
    def city(self, code: str) -> City | None:
        return None

    def agreed(self, code: str, now_us: int) -> Agreed | None:
        return None

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        return None

    def get(self, scheme: str, version: int) -> Scheme | None:
        return None

    async def allocate_within(self, connection: Connection) -> Slot:
        raise DependencyDown("status-lists")


ALONE = Others(_Nobody(), _Nobody(), _Nobody())
