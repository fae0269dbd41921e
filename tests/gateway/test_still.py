"""Codes are read from stills however they are held, and stills are bounded."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest
import segno

from gateway import qr, still
from gateway.errors import Malformed, Overloaded
from gateway.still import BYTES_MAX, SIDE_MAX, SIDE_MIN, TEXT_MAX, WAITING_MAX, read_code

TEXT = "Ab3_-" * 6 + "Zz"
Rows = list[list[int]]


def drawn(text: str, *, module: int = 6, border: int = 4) -> Rows:
    """A code as rows of grey."""
    matrix = segno.make(text, error="m", micro=False).matrix_iter(scale=module, border=border)
    return [[0 if dark else 255 for dark in row] for row in matrix]


def turned(rows: Rows) -> Rows:
    return [list(column) for column in zip(*rows[::-1], strict=True)]


def inverted(rows: Rows) -> Rows:
    return [[255 - grey for grey in row] for row in rows]


def dim(rows: Rows) -> Rows:
    """A dark room, a noisy camera, a light from one side."""
    chance = random.Random(7)
    return [
        [min(255, max(0, 30 + grey // 4 + x // 8 + chance.randrange(-8, 9)))
         for x, grey in enumerate(row)]
        for row in rows
    ]  # fmt: skip


def placed(rows: Rows, width: int, height: int, *, ground: int = 255) -> Rows:
    """A picture with the code somewhere in it."""
    canvas = [[ground] * width for _ in range(height)]
    for y, row in enumerate(rows):
        canvas[height // 5 + y][width // 6 : width // 6 + len(row)] = row
    return canvas


async def read(rows: Rows) -> str | None:
    return await read_code(len(rows[0]), len(rows), bytes(grey for row in rows for grey in row))


async def test_a_code_is_read_however_it_is_held() -> None:
    rows = drawn(TEXT)
    for seen in (
        rows,
        turned(rows),
        turned(turned(rows)),
        turned(turned(turned(rows))),
        inverted(rows),
        turned(inverted(rows)),
        [row[::-1] for row in rows],
        dim(rows),
        placed(rows, 640, 480),
        placed(dim(rows), 480, 640, ground=90),
    ):
        assert await read(seen) == TEXT


async def test_of_two_codes_the_larger_is_meant() -> None:
    canvas = placed(drawn("small", module=2), 640, 480)
    for y, row in enumerate(drawn("large", module=8)):
        canvas[200 + y][300 : 300 + len(row)] = row
    assert await read(canvas) == "large"


async def test_where_there_is_no_code_there_is_none() -> None:
    noise = random.Random(7).randbytes(BYTES_MAX)
    assert await read_code(SIDE_MAX, SIDE_MAX, noise) is None
    assert await read([[255] * 100] * 100) is None
    assert await read(drawn("x" * (TEXT_MAX + 1), module=4)) is None


@pytest.mark.parametrize(
    ("width", "height", "count"),
    [
        *((SIDE_MIN - 1, 100, 100 * (SIDE_MIN - 1)), (100, SIDE_MAX + 1, 100 * (SIDE_MAX + 1))),
        *((100, 100, 9_999), (100, 100, 10_001), (0, 0, 0), (-100, -100, 10_000)),
    ],
)
async def test_a_still_of_another_size_is_refused(width: int, height: int, count: int) -> None:
    with pytest.raises(Malformed):
        await read_code(width, height, bytes(max(count, 0)))


async def test_stills_are_read_beside_the_loop_and_few_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reader is held, as by a hard picture: what waits is bounded, and the loop goes on."""
    held, reading = threading.Event(), still._read

    def slow(width: int, height: int, grey: bytes) -> str | None:
        held.wait(10)
        return reading(width, height, grey)

    monkeypatch.setattr(still, "_read", slow)
    rows = drawn(TEXT)
    waiting = [asyncio.create_task(read(rows)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await read(rows)
    held.set()
    assert await asyncio.gather(*waiting) == [TEXT] * WAITING_MAX
    assert await read(rows) == TEXT


async def test_who_goes_away_frees_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    monkeypatch.setattr(still, "_read", lambda *_: "x" if held.wait(10) else None)
    rows = drawn(TEXT)
    waiting = [asyncio.create_task(read(rows)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    held.set()
    assert await read(rows) == "x"


def test_a_picture_of_a_code_is_a_whole_document_with_its_margin() -> None:
    picture = qr.svg(TEXT)
    size = 29 + 2 * qr.QUIET_ZONE  # version 3 of the standard's sizes
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"'
    assert picture.startswith(head)
    assert f'fill="#fff" d="M0 0h{size}v{size}h-{size}z"' in picture
    assert "style" not in picture
    assert "class" not in picture
