"""The HTML pages, with descriptions for previews of links to them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
#: Number of addresses of the server for which a page is kept.
_ADDRESSES = 4


def page(template: str, **values: Any) -> Callable[[Request], Awaitable[Response]]:  # noqa: ANN401
    """Return the handler of a page.

    Parameters
    ----------
    template : str
        Name of the template, which is rendered with `values` and `address`: the address of the
        site, for previews of links need absolute ones; empty if it is unknown.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(), trim_blocks=True
    )
    rendered = environment.get_template(template)

    @lru_cache(_ADDRESSES)
    def text(address: str) -> str:
        return rendered.render(address=address, **values)

    async def respond(request: Request) -> Response:
        headers = {"Cache-Control": "no-cache"}
        return HTMLResponse(text(_address(request)), headers=headers)

    return respond


def _address(request: Request) -> str:
    """Return the address of the site as the visitor sees it, without a slash at its end."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        return ""
    is_https = "https" in (request.headers.get("x-forwarded-proto"), request.scope["scheme"])
    prefix = request.scope.get("root_path", "")
    return f"{'https' if is_https else 'http'}://{host}{prefix}"
