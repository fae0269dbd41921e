"""The words of promises, today's and former ones.

A promise stands under the words that it was signed with, whatever the scenario says today. Each
published manifest stays on file beside its revision, so its words are found again by the hash that
the citizen's device has signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.store import policy as policy_rows
from gateway.store.commitment import CommitmentRow
from gateway.store.database import Connection
from scenarios.manifest import Text
from scenarios.registry import Registry


class CommitmentTexts:
    """Finds the words of commitments by their hashes.

    Args:
        registry: the compiled scenarios of today.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def of(
        self, connection: Connection, rows: Sequence[CommitmentRow]
    ) -> dict[UUID, Text | None]:
        """The words of each commitment by its id; None only for a text that was never live."""
        found = {row.id: self._today(row) for row in rows}
        wanted = [_key(row) for row in rows if found[row.id] is None]
        if wanted:
            former = await policy_rows.commitment_texts(connection, wanted)
            for row in rows:
                found[row.id] = found[row.id] or former.get(_key(row))
        return found

    def _today(self, row: CommitmentRow) -> Text | None:
        scenario = self._registry.get(row.scenario)
        text = scenario.manifest.commitment if scenario else None
        if text is None or text.text_sha256 != row.text_sha256:
            return None
        return Text(zh=text.zh, en=text.en)


def _key(row: CommitmentRow) -> policy_rows.TextKey:
    return policy_rows.TextKey(row.scenario, row.template, row.template_version, row.text_sha256)
