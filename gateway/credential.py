"""The one credential of a request's header fields: a token, and under which scheme it comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.errors import Unauthenticated

Headers = Iterable[tuple[bytes, bytes]]

#: The schemes of credentials, each with the space behind it, in lower case.
BEARER: Final = b"bearer "
DPOP: Final = b"dpop "


def is_under_dpop(headers: Headers) -> bool:
    """Whether the request's header fields hold a credential under the scheme DPoP."""
    return any(
        name == b"authorization" and value[: len(DPOP)].lower() == DPOP for name, value in headers
    )


def credential(headers: Headers, scheme: bytes) -> str:
    """The one token of the header fields, if it is under this scheme (RFC 6750 2.1, RFC 9449 7.1;
    RFC 6750's other two ways are not ours).

    Raises:
        Unauthenticated: there is none, more than one, or one under another scheme.
    """
    found = None
    for name, value in headers:
        if name == b"authorization":
            # Of two credentials a proxy may have judged one and we the other.
            if found is not None:
                raise Unauthenticated("repeated")
            found = value
    if found is None:
        raise Unauthenticated
    if found[: len(scheme)].lower() != scheme:  # RFC 9110 11.1: the scheme's case does not matter
        raise Unauthenticated("scheme")
    try:
        return found[len(scheme) :].decode("ascii")
    except UnicodeDecodeError:
        raise Unauthenticated("shape") from None
