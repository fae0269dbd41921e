"""The notice, and the citizen's word on the score: read first, then decided (PIPL 14, 17)."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.web.render import PAGE, asked, chosen_language, page
from gateway.web.sign_in import is_own_page
from gateway.web.visitor import own_citizens_only
from scoring import Merit

MERITS = tuple(merit.value for merit in Merit)


@get(
    "/app/notice",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    guards=[own_citizens_only],
    include_in_schema=False,
)
async def notice(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page. Who has agreed to these very words goes on, unless they are to be read again.

    A word that staff of a counter recorded counts, and is shown here until the citizen decides.
    """
    authorisations = city_of(request).authorisations
    said = await authorisations.current(citizen_of(request))
    text, wanted = authorisations.notice, asked(request)
    then = wanted.get("then", "")
    then = then if is_own_page(then) else "/app/"
    given = said is not None and said.status == "given"
    aloud = said is not None and given and said.aloud
    stands = said is not None and given and said.text_sha256 == text.sha256 and not aloud
    if stands and "again" not in wanted:
        return Response(
            b"",
            status_code=303,
            headers={"location": then},
            cookies=chosen_language(request),
        )
    return page(
        request,
        "notice.html",
        notice=text,
        text_sha256=text.sha256.hex(),
        stands=stands,
        aloud=aloud,
        before=said,
        merits=MERITS,
        then=then,
    )


HANDLERS: list[HTTPRouteHandler] = [notice]
