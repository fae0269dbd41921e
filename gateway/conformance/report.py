"""What was looked at, and what was found: named checks, each with why and what to do."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from gateway.conformance.checks import CHECKS
from gateway.conformance.probe import Answer


class Result(enum.StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - a word
    FAIL = "fail"
    SKIPPED = "not checked"


class Finding(msgspec.Struct, frozen=True):
    """One check: the law with its section, what was found, and the remedy of a failure."""

    name: str
    result: Result
    law: str
    section: str
    why: str
    remedy: str | None


#: Characters of an answer that are shown.
_SHOWN: Final = 240


#: Why a check was not made where something before it failed.
UNMET: Final = "what it needs was not found"
#: And where nothing was said to it.
UNSAID: Final = "no answer to judge"


class Report:
    """The findings, in the order of the table of checks."""

    def __init__(self) -> None:
        self._found: dict[str, Finding] = {}

    def judge(
        self, name: str, fault: str | None, well: str = "", remedy: str | None = None
    ) -> bool:
        """Note a check: failed for this fault, or passed where there is none. A check that failed
        once has failed; returns whether it passed now. `remedy` is one of this fault's own."""
        check = CHECKS[name]
        before = self._found.get(name)
        if before is None or before.result is not Result.FAIL:
            result, why = (Result.PASS, well) if fault is None else (Result.FAIL, fault[:_SHOWN])
            told = None if fault is None else remedy or check.remedy
            self._found[name] = Finding(name, result, check.law, check.section, why, told)
        return fault is None

    def said(self, name: str, answer: Answer) -> bool:
        """Whether there is an answer for this check to judge. Where there is none that is the
        finding, and the check was not made."""
        self.judge("city.answers", _missed(answer) if answer.finds_nothing else None)
        if answer.finds_nothing:
            self.skip(name, UNSAID)
        return not answer.finds_nothing

    def skip(self, name: str, why: str) -> None:
        """Note that a check could not be made, unless it was."""
        check = CHECKS[name]
        self._found.setdefault(
            name, Finding(name, Result.SKIPPED, check.law, check.section, why, None)
        )

    def findings(self) -> list[Finding]:
        """One for each check that there is."""
        for name in CHECKS:
            self.skip(name, UNMET)
        return [self._found[name] for name in CHECKS]


def _missed(answer: Answer) -> str:
    return f"{answer.place}: {answer.said}"
