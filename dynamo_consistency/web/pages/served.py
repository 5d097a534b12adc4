"""The pages behind a server: what a request asks for, and the page that answers it."""

import hashlib
from collections.abc import Callable
from typing import get_args

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dynamo_consistency.web.models import STATES, FindingsPage, RunPage
from dynamo_consistency.web.models.site import Measure
from dynamo_consistency.web.pages.file import file_page, message_page
from dynamo_consistency.web.pages.links import Links, ServedLinks
from dynamo_consistency.web.pages.run import UNREADABLE, default_kind, run_page
from dynamo_consistency.web.pages.site import site_page
from dynamo_consistency.web.pages.sites import sites_page, wall_page
from dynamo_consistency.web.pages.static import STATIC, static_file
from dynamo_consistency.web.query import Query
from dynamo_consistency.web.view import StoreView

_Page = Callable[[StoreView, Request, Query, Links], str]
_ERRORS = {400: "This cannot be asked", 404: "Not there", 503: "This cannot be shown now"}


def page_routes(view: StoreView) -> list[BaseRoute]:
    """What `pages.routes` says."""
    pages: dict[str, _Page] = {
        "/": _sites,
        "/sites/{site}": _site,
        "/sites/{site}/runs/{run_id}": _run,
        "/file": _file,
    }
    return [*(Route(path, _answering(view, page)) for path, page in pages.items()), Route("/static/{name}", _static)]


def error_response(request: Request, status: int, sentence: str) -> Response:
    """As `pages.error_page`."""
    title = _ERRORS.get(status, "Something went wrong")
    return _html(message_page(title, sentence, _links(request)), status)


def _answering(view: StoreView, page: _Page) -> Callable[[Request], Response]:
    """An endpoint, which Starlette runs in a thread of its own."""
    return lambda request: _html(page(view, request, Query(request), _links(request)))


def _links(request: Request) -> ServedLinks:
    user = request.scope.get("state", {}).get("user")
    return ServedLinks(request.scope.get("root_path", ""), user or "")


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page.encode("utf-8", "backslashreplace"), status)


def _sites(view: StoreView, request: Request, query: Query, links: Links) -> str:
    if query.flag("wall"):
        return wall_page(view.sites(), links)
    return sites_page(view.sites(query.text("text").strip(), query.choice("state", *STATES)), links)


def _site(view: StoreView, request: Request, query: Query, links: Links) -> str:
    measure: Measure | None = query.choice("measure", *get_args(Measure))
    return site_page(view.site(request.path_params["site"], query.text("check") or None, measure or "files"), links)


def _run(view: StoreView, request: Request, query: Query, links: Links) -> str:
    page = view.run(request.path_params["site"], request.path_params["run_id"])
    return run_page(page, _lists(view, page, query), links)


def _lists(view: StoreView, page: RunPage, query: Query) -> list[FindingsPage]:
    """The list that is asked for; none where the run has none, or its file is damaged."""
    kind = query.choice("kind", *(download.kind for download in page.downloads)) or default_kind(page)
    if kind is None:
        return []
    down = query.choice("order", "up", "down") == "down"
    sort, text = query.text("sort") or None, query.text("text")
    try:
        return [view.findings(page.site, page.run.run_id, kind, sort=sort, descending=down, text=text)]
    except UNREADABLE:
        return []


def _file(view: StoreView, request: Request, query: Query, links: Links) -> str:
    sites = sorted({row.site for row in view.sites().rows})
    site, path = query.text("site"), query.raw("path")
    asked = query.text("path")
    if not site or not path:
        return file_page(sites, links, site=site, asked=asked)
    return file_page(sites, links, site=site, asked=asked, page=view.find_file(site, path))


def _static(request: Request) -> Response:
    """Asked for with each page, and sent again only after it has changed."""
    name = request.path_params["name"]
    if name not in STATIC:
        return PlainTextResponse("there is nothing at this address\n", 404)
    content = static_file(name)
    known = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == known:
        return Response(status_code=304, headers={"ETag": known})
    return Response(content, media_type=STATIC[name], headers={"ETag": known})
