"""Facts and figures of scenarios as people read them, by their unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.web import spoken
from gateway.web.catalogue import Language, text
from scenarios.manifest import Manifest
from scenarios.registry import Registry
from scenarios.units import Unit
from scoring import Band

_FEN = (Unit.FEN, Unit.FEN_PER_DAY)


def amount(value: Any, unit: Unit, registry: Registry, language: Language) -> str:
    """One value in words; money in fen, as the manifests' words say, and in yuan."""
    if isinstance(value, list | tuple):
        between = "、" if language == "zh" else ", "
        return between.join(amount(each, unit, registry, language) for each in value)
    if unit in _FEN:
        return text(language, "scenarios.fen", fen=f"{value:,}", yuan=spoken.money(value))
    if unit is Unit.TIME:
        return spoken.moment(value, language)
    if unit is Unit.BAND:
        return band(value, language)
    if unit is Unit.DAYS:
        return text(language, "scenarios.days", days=value)
    if unit is Unit.SCENARIO and (compiled := registry.get(value)) is not None:
        title: str = getattr(compiled.manifest.title, language)
        return title
    return f"{value:,}" if isinstance(value, int) else str(value)


def band(value: int, language: Language) -> str:
    """A band by its published name; 0 is no score."""
    if value == 0:
        return text(language, "scenarios.no_score")
    name: str = getattr(Band(value).words, language)
    return name


def by_band(
    values: tuple[Any, ...], unit: Unit, registry: Registry, language: Language
) -> list[tuple[str, str]]:
    """One value for each band, from no score on."""
    return [
        (band(place, language), amount(value, unit, registry, language))
        for place, value in enumerate(values)
    ]


def facts(
    manifest: Manifest, sent: Mapping[str, Any], registry: Registry, language: Language
) -> list[tuple[str, str]]:
    """What was sent, each in the manifest's words."""
    return [
        (getattr(fact, language), amount(sent[fact.name], fact.unit, registry, language))
        for fact in manifest.facts
        if fact.name in sent
    ]
