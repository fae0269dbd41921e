"""A file of vectors: what is given to every case, and the cases."""

from __future__ import annotations

from typing import Any


class Group:
    """Cases of one file, each told apart by its id.

    Args:
        about: what a reader of the file decides.
        given: what every case is given, but for what it gives itself.
    """

    def __init__(self, about: str, given: dict[str, Any]) -> None:
        self.about, self.given = about, given
        self.cases: list[dict[str, Any]] = []

    def accept(self, name: str, why: str, follows: dict[str, Any], **given: Any) -> None:
        """A case that is accepted, with what follows from it."""
        self._add(name, why, given, {"accept": follows})

    def refuse(self, name: str, why: str, reason: str, **given: Any) -> None:
        """A case that is refused."""
        self._add(name, why, given, {"refuse": reason})

    def _add(self, name: str, why: str, given: dict[str, Any], expect: dict[str, Any]) -> None:
        if any(case["id"] == name for case in self.cases):
            raise ValueError(f"two cases named {name}")
        self.cases.append({"id": name, "why": why, "given": given, "expect": expect})

    def document(self) -> dict[str, Any]:
        """The file's content."""
        return {"about": self.about, "version": 1, "given": self.given, "cases": self.cases}
