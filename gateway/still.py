"""Reading a code from one still of a camera, beside the event loop and never too many at once.

A browser without a detector of its own sends the grey pixels of one picture. Nothing is kept: what
is seen besides the code is forgotten with the request.
"""

from __future__ import annotations

import asyncio
from typing import Final

import zxingcpp

from gateway.errors import Malformed, Overloaded
from gateway.threads import background_pool

#: The longest side of a still in pixels, and hence its size in bytes.
SIDE_MIN: Final = 32
SIDE_MAX: Final = 640
BYTES_MAX: Final = SIDE_MAX * SIDE_MAX

#: The longest text that a code of ours has, with room; other codes are none of our business.
TEXT_MAX: Final = 512

#: Stills that one worker reads at a time, and that may wait for it. One takes some milliseconds.
READERS: Final = 1
WAITING_MAX: Final = 16

_FORMATS: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

_readers = background_pool(READERS, "still")
_under_way = 0


async def read_code(width: int, height: int, grey: bytes) -> str | None:
    """The text of a QR code in a picture of 8-bit grey pixels, row by row; None without one.

    Codes may be turned, inverted or seen at an angle. Of several the largest counts: it is the one
    that the camera is held to.

    Raises:
        Malformed: the picture is too small or too large, or its bytes are not width × height.
        Overloaded: too many stills are waiting.
    """
    global _under_way  # one count for the one thread of this process
    check_size(width, height, len(grey))
    if _under_way >= WAITING_MAX:
        raise Overloaded(retry_after_s=1)
    _under_way += 1
    try:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_readers, _read, width, height, grey)
    finally:
        _under_way -= 1


def check_size(width: int, height: int, count: int) -> None:
    """Whether so many bytes are a still of this size.

    Raises:
        Malformed: they are not.
    """
    if not (SIDE_MIN <= width <= SIDE_MAX and SIDE_MIN <= height <= SIDE_MAX):
        raise Malformed([("", f"a still has {SIDE_MIN} to {SIDE_MAX} pixels a side")])
    if count != width * height:
        raise Malformed([("", "a still is one byte for each pixel")])


def _read(width: int, height: int, grey: bytes) -> str | None:
    image = memoryview(grey).cast("B", (height, width))
    found = zxingcpp.read_barcodes(image, formats=_FORMATS)
    texts = {_extent(code.position): code.text for code in found}
    text = texts[max(texts)] if texts else None
    return text if text is not None and len(text) <= TEXT_MAX else None


def _extent(position: zxingcpp.Position) -> int:
    """How large a code is seen: the longer of its diagonals, squared."""
    corners = (
        (position.top_left, position.bottom_right),
        (position.top_right, position.bottom_left),
    )
    return max((a.x - b.x) ** 2 + (a.y - b.y) ** 2 for a, b in corners)
