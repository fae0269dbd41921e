"""QR codes as pictures, for pages to show and for operators to print."""

from __future__ import annotations

import io

import segno

#: The white margin that readers need around a code (ISO/IEC 18004), in modules.
QUIET_ZONE = 4


def svg(text: str) -> str:
    """A text as a QR code: a whole SVG document, black on white whatever surrounds it.

    Error correction is at least M: a thumb on a screen, a scratch on a bicycle.
    """
    out = io.BytesIO()
    # Without size, so that the page decides; without classes, since a picture needs no styles.
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        border=QUIET_ZONE,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgclass=None,
        lineclass=None,
        omitsize=True,
    )
    return out.getvalue().decode().strip()
