"""Pictures that tests look at, and cameras that tests hold: from PNG, and to Y4M.

The gateway reads codes from grey pixels, so a test needs no picture library either.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import msgspec
import segno
import zxingcpp


class Picture(msgspec.Struct, frozen=True):
    """Grey pixels, row by row."""

    rows: list[bytes]

    @property
    def width(self) -> int:
        return len(self.rows[0])

    @property
    def height(self) -> int:
        return len(self.rows)

    def turned(self) -> Picture:
        """A quarter turn."""
        return Picture([bytes(column) for column in zip(*self.rows[::-1], strict=True)])

    def inverted(self) -> Picture:
        return Picture([bytes(255 - grey for grey in row) for row in self.rows])

    def read(self) -> str | None:
        """The text of the one QR code in it."""
        image = memoryview(b"".join(self.rows)).cast("B", (self.height, self.width))
        found = zxingcpp.read_barcodes(image)
        assert len(found) <= 1
        return found[0].text if found else None


def of_png(png: bytes) -> Picture:
    """A screenshot: 8 bits a channel, RGB or RGBA, not interlaced (W3C PNG, 11.2)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    packed, at = b"", 8
    width = height = channels = 0
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colours, *rest = struct.unpack(">IIBBBBB", body)
            assert (depth, rest) == (8, [0, 0, 0])
            channels = {2: 3, 6: 4}[colours]
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    lines = _unfiltered(zlib.decompress(packed), width * channels, channels)
    assert len(lines) == height
    return Picture([_grey(line, channels) for line in lines])


def _unfiltered(raw: bytes, stride: int, back: int) -> list[bytearray]:
    lines: list[bytearray] = []
    above = bytearray(stride)
    for at in range(0, len(raw), stride + 1):
        line = bytearray(raw[at + 1 : at + 1 + stride])
        for x in range(stride):
            left = line[x - back] if x >= back else 0
            corner = above[x - back] if x >= back else 0
            guess = (0, left, above[x], (left + above[x]) // 2, _paeth(left, above[x], corner))
            line[x] = (line[x] + guess[raw[at]]) & 255
        lines.append(line)
        above = line
    return lines


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


def _grey(line: bytearray, channels: int) -> bytes:
    return bytes(
        (line[at] * 77 + line[at + 1] * 150 + line[at + 2] * 29) >> 8
        for at in range(0, len(line), channels)
    )


def of_code(text: str, *, width: int = 640, height: int = 480, module: int = 7) -> Picture:
    """What a camera sees that is held to a printed code."""
    code = segno.make(text, error="m", micro=False).matrix_iter(scale=module, border=4)
    rows = [bytes(40 if dark else 220 for dark in row) for row in code]
    side, above = (width - len(rows[0])) // 2, (height - len(rows)) // 2
    assert side >= 0
    assert above >= 0
    wall = bytes([150]) * width
    seen = [wall[:side] + row + wall[: width - side - len(row)] for row in rows]
    return Picture([wall] * above + seen + [wall] * (height - above - len(seen)))


def write_video(file: Path, picture: Picture, *, frames: int = 4) -> None:
    """A camera's video that shows one picture: Y4M, which Chromium plays as a fake camera."""
    grey = b"".join(picture.rows)
    colourless = bytes([128]) * (picture.width * picture.height // 2)
    head = f"YUV4MPEG2 W{picture.width} H{picture.height} F10:1 Ip A1:1 C420jpeg\n"
    file.write_bytes(head.encode() + (b"FRAME\n" + grey + colourless) * frames)
