"""The vectors, read as their README says."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.protocol.making.files import FOLDER

FILES = sorted(path.name for path in FOLDER.glob("*.json") if path.name != "keys.json")


class Case(NamedTuple):
    """One case: what is given, and what is expected."""

    id: str
    given: dict[str, Any]
    expect: dict[str, Any]

    @property
    def reason(self) -> str | None:
        """Why it is refused; None where it is accepted."""
        reason: str | None = self.expect.get("refuse")
        return reason


def document(file: str) -> dict[str, Any]:
    """A file as it is written."""
    read: dict[str, Any] = json.loads((FOLDER / file).read_text("utf-8"))
    return read


def cases(file: str) -> list[Case]:
    """The cases of a file."""
    read = document(file)
    return [
        Case(case["id"], read["given"] | case["given"], case["expect"]) for case in read["cases"]
    ]
