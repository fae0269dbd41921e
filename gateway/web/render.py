"""Making a page: a template, the reader's language, and the header fields that keep it closed.

Every page is `no-store` (what a citizen saw is gone after signing out, back button included), may
be framed by nobody, and runs no script and no style but ours (CSP 3). Trusted Types are required
and no policy exists, so no script of ours can turn a text into markup either. Templates escape by
themselves, and a value that is missing is an error, never an empty place.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from litestar.datastructures import Cookie

from gateway.edge.access import city_of, is_citizen, is_clerk
from gateway.edge.cookies import cookie
from gateway.edge.form import parse_form
from gateway.edge.problems import TABLE, TYPE_PREFIX
from gateway.errors import Malformed
from gateway.sessions import cookie_name
from gateway.web import spoken
from gateway.web.assets import address
from gateway.web.catalogue import LANGUAGES, TAGS, Language, catalogue, language_of, text

#: The option of a route that shows a page: strangers are led to signing in instead of a problem.
PAGE: Final = "page"

CSP: Final = "; ".join(
    (
        "default-src 'none'",
        *("script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' blob:"),
        *("manifest-src 'self'", "media-src 'self' blob:"),
        *("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"),
        *("require-trusted-types-for 'script'", "trusted-types 'none'"),
    )
)
HEADERS: Final = {
    "content-security-policy": CSP,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), screen-wake-lock=(self), geolocation=(), microphone=(),"
    " payment=(), usb=()",
    "vary": "cookie",
}

_LANGUAGE_LIFE_S: Final = 365 * 86_400
_environment = Environment(
    loader=PackageLoader("gateway.web", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Chinese as it is: escaped it would be twice as long.
_environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
_environment.filters["money"] = spoken.money
_environment.filters["capital"] = spoken.capital
_environment.filters["signed"] = spoken.signed


def page(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, **values: Any
) -> Response[bytes]:
    """The page of a template of `templates/`, in the reader's language.

    `?lang=` in the address chooses a language and is remembered by a cookie, which says nothing
    else. A template finds besides `values`: `t`, `words`, `moment`, `day` (the language's own),
    `asset`, `csrf` (empty for strangers), `path`, `city`, `problems`.
    """
    query = asked(request)
    language = language_of(query.get("lang") or request.cookies.get(_cookie_of(request)))
    html = _environment.get_template(template).render(_common(request, language, query) | values)
    return Response(
        html.encode(),
        status_code=status,
        headers=HEADERS,
        media_type="text/html",
        cookies=chosen_language(request),
    )


def chosen_language(request: Request[Any, Any, Any]) -> list[Cookie]:
    """The cookie that remembers the language which the address chooses, if it chooses one."""
    wanted = asked(request).get("lang")
    return [_remembered(request, language_of(wanted))] if wanted in LANGUAGES else []


def asked(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The parameters of the address; none where they cannot be read."""
    try:
        return parse_form(request.scope["query_string"])
    except Malformed:
        return {}


def language_for(request: Request[Any, Any, Any]) -> Language:
    """The language that a page of this request would be in."""
    return language_of(asked(request).get("lang") or request.cookies.get(_cookie_of(request)))


def _common(
    request: Request[Any, Any, Any], language: Language, query: dict[str, str]
) -> dict[str, Any]:
    city = city_of(request)
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    return {
        "t": partial(text, language),
        "words": lambda both: getattr(both, language),
        "moment": partial(spoken.moment, language=language),
        "day": partial(spoken.day, language=language),
        "language": language,
        "language_tag": TAGS[language],
        "other_tag": TAGS[other],
        "other_address": "?" + urlencode(query | {"lang": other}),
        "asset": address,
        "csrf": _csrf(request),
        "path": request.scope["path"],
        "city": city.settings,
        "problems": _problems(language),
    }


def _csrf(request: Request[Any, Any, Any]) -> str:
    city = city_of(request)
    if is_clerk(request):
        return city.counter_sessions.csrf_token(request)
    return city.sessions.csrf_token(request) if is_citizen(request) else ""


def problems(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What went wrong, in words, by the problem's type, in the language of this request's page."""
    return _problems(language_for(request))


def _problems(language: Language) -> dict[str, str]:
    """What went wrong, in words, by the problem's type: for the modules that write."""
    known = catalogue()
    plain = {"offline": text(language, "problem.offline"), "": text(language, "problem.other")}
    for kind in TABLE.values():
        if f"problem.{kind.slug}" in known:
            plain[TYPE_PREFIX + kind.slug] = text(language, f"problem.{kind.slug}")
    return plain


def _remembered(request: Request[Any, Any, Any], language: Language) -> Cookie:
    return cookie(city_of(request).settings, "lang", language, _LANGUAGE_LIFE_S)


def _cookie_of(request: Request[Any, Any, Any]) -> str:
    return cookie_name(city_of(request).settings, "lang")
