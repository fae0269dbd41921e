"""The words that several wire structs share, each with its bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gateway.pseudonyms import SUBJECT_CHARS

Subject = Annotated[
    str,
    Meta(
        min_length=SUBJECT_CHARS,
        max_length=SUBJECT_CHARS,
        pattern=r"\A[A-Za-z0-9_-]+\Z",
        description="The citizen's name at this recipient; opaque, and no capability.",
    ),
]

RequestId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"\A[A-Za-z0-9._:-]+\Z",
        description="The party's own name for this request; a repeat gets the same answer.",
    ),
]

Label = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"\A[A-Za-z0-9._:/-]+\Z",
        description="A staff or case number of the party's own; never a person's name.",
    ),
]

ScenarioId = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"\A[a-z][a-z0-9-]*\Z")]

Sha256 = Annotated[
    str, Meta(pattern=r"\A[0-9a-f]{64}\Z", description="SHA-256 of a text as shown, in hex.")
]

DeskNumber = Annotated[
    str,
    Meta(pattern=r"\A[0-9]{6}\Z", description="The number of a desk, counter or device."),
]
