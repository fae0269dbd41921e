"""What a party sent with a question, in the words of the scenario."""

from __future__ import annotations

from typing import Any

from gateway.web import spoken
from gateway.web.catalogue import Language
from scenarios.manifest import Manifest
from scenarios.units import Unit

Lines = list[tuple[str, str]]


def facts_of(
    manifest: Manifest | None, sent: dict[str, Any] | None, language: Language
) -> Lines | None:
    """Each fact with its words and its value; None where what was sent has been erased."""
    if sent is None:
        return None
    known = {each.name: each for each in manifest.facts} if manifest else {}
    lines = []
    for name, value in sent.items():
        spec = known.get(name)
        words = name if spec is None else spec.zh if language == "zh" else spec.en
        lines.append((words, _said(value, spec.unit if spec else None, language)))
    return lines


def _said(value: Any, unit: Unit | None, language: Language) -> str:
    if unit in (Unit.FEN, Unit.FEN_PER_DAY):
        return spoken.money(value)
    if unit is Unit.TIME:
        return spoken.moment(value, language)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
