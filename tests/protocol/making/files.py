"""The files of the vectors, as they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.protocol.making import (
    agreements,
    assertions,
    grants,
    proofs,
    schemes,
    status_lists,
    trust_lists,
)
from tests.protocol.making.world import KEYS

FOLDER: Final = Path(__file__).parents[3] / "docs" / "protocol" / "vectors"


def files() -> dict[str, str]:
    """Name and text of each."""
    made: dict[str, Any] = {
        "agreements.json": agreements.make().document(),
        "assertions.json": assertions.make().document(),
        "grants.json": grants.make().document(),
        "proofs.json": proofs.make().document(),
        "schemes.json": schemes.make().document(),
        "status-lists.json": status_lists.make().document(),
        "trust-lists.json": trust_lists.make().document(),
        "keys.json": {
            "about": "The key pairs of the vectors. They are thrown away: trust none of them.",
            "version": 1,
            "keys": [pair.secret for pair in KEYS.values()],
        },
    }
    return {name: _text(document) for name, document in made.items()}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
