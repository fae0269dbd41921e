"""The vectors judged by an implementation in another language, from the protocol's text alone."""

from __future__ import annotations

import pytest

from tests.interop.node import Node
from tests.protocol import schemas, vectors
from tests.protocol.making.files import FOLDER


@pytest.fixture(scope="module")
def told(node: Node) -> dict[str, dict[str, dict[str, object]]]:
    """What it says of each case of each file."""
    given = {"schemas": str(schemas.FOLDER), "vectors": str(FOLDER)}
    answer: dict[str, dict[str, dict[str, object]]] = node.run("vectors.mjs", given)
    return answer


@pytest.mark.parametrize("file", vectors.FILES)
def test_another_implementation_decides_as_the_vectors_say(
    told: dict[str, dict[str, dict[str, object]]], file: str
) -> None:
    cases = vectors.cases(file)
    assert told[file].keys() == {case.id for case in cases}
    for case in cases:
        said = told[file][case.id]
        # The verdict is normative, the reason a help: another order of checks finds another one.
        assert said.keys() == case.expect.keys(), (case.id, said)
        if case.reason is None:
            assert said == case.expect, case.id
