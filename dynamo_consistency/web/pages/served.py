"""The pages behind a server: what a request asks for, and the page that answers it."""

from collections.abc import Callable
from typing import Literal, get_args
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dynamo_consistency import paths, secrets
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.web.models import STATES, FindingsPage, RunPage, State
from dynamo_consistency.web.models.site import Measure
from dynamo_consistency.web.pages.file import file_page, message_page
from dynamo_consistency.web.pages.links import Links, ServedLinks
from dynamo_consistency.web.pages.run import default_kind, run_page
from dynamo_consistency.web.pages.site import site_page
from dynamo_consistency.web.pages.sites import sites_page, wall_page
from dynamo_consistency.web.pages.static import STATIC, static_file
from dynamo_consistency.web.view import NotThereError, StoreView

_Query = dict[str, str]
_Page = Callable[[StoreView, Request, _Query, Links], str]
_Sort = Literal["path", "size", "site_size", "modified", "dataset"]


def page_routes(view: StoreView) -> list[BaseRoute]:
    """What `pages.routes` says."""
    pages: dict[str, _Page] = {
        "/": _sites,
        "/sites/{site}": _site,
        "/sites/{site}/runs/{run_id}": _run,
        "/file": _file,
    }
    return [*(Route(path, _answering(view, page)) for path, page in pages.items()), Route("/static/{name}", _static)]


def _answering(view: StoreView, page: _Page) -> Callable[[Request], Response]:
    """An endpoint, which Starlette runs in a thread of its own."""

    def answer(request: Request) -> Response:
        links = ServedLinks(request.scope.get("root_path", ""))
        try:
            return _html(page(view, request, _query(request), links))
        except NotThereError as error:
            return error_response(request, 404, str(error))
        except ConsistencyError as error:
            return error_response(request, 503, secrets.redact(str(error)))

    return answer


def error_response(request: Request, status: int, sentence: str) -> Response:
    """As `pages.error_page`."""
    title = {404: "Not there", 503: "This cannot be shown now"}.get(status, "This cannot be shown")
    return _html(message_page(title, sentence, ServedLinks(request.scope.get("root_path", ""))), status)


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page.encode("utf-8", "backslashreplace"), status)


def _query(request: Request) -> _Query:
    """What stands behind `?`, its bytes as they are (surrogateescape); of what is there twice, the last."""
    text = request.scope.get("query_string", b"").decode("latin-1")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=20))
    except ValueError:
        return {}


def _sites(view: StoreView, request: Request, query: _Query, links: Links) -> str:
    state: State | None = next((state for state in STATES if state == query.get("state")), None)
    if "wall" in query:
        return wall_page(view.sites(), links)
    return sites_page(view.sites(query.get("text", "").strip(), state), links)


def _site(view: StoreView, request: Request, query: _Query, links: Links) -> str:
    measure: Measure = "bytes" if query.get("measure") == "bytes" else "files"
    return site_page(view.site(request.path_params["site"], query.get("check") or None, measure), links)


def _run(view: StoreView, request: Request, query: _Query, links: Links) -> str:
    page = view.run(request.path_params["site"], request.path_params["run_id"])
    return run_page(page, _findings(view, page, query), links)


def _findings(view: StoreView, page: RunPage, query: _Query) -> FindingsPage | None:
    """The list that is asked for, of those that the run has."""
    kinds = [download.kind for download in page.downloads]
    kind = next((kind for kind in kinds if kind == query.get("kind")), default_kind(page))
    if kind is None:
        return None
    sort = next((sort for sort in get_args(_Sort) if sort == query.get("sort")), None)
    down, text = query.get("order") == "down", query.get("text", "")
    return view.findings(page.site, page.run.run_id, kind, sort=sort, descending=down, text=text)


def _file(view: StoreView, request: Request, query: _Query, links: Links) -> str:
    sites = sorted({row.site for row in view.sites().rows})
    site, asked = query.get("site", ""), query.get("path", "")
    if not site or not asked:
        return file_page(sites, links, site=site, asked=asked)
    try:
        return file_page(sites, links, site=site, asked=asked, page=view.find_file(site, paths.to_bytes(asked)))
    except NotThereError as error:
        return file_page(sites, links, site=site, asked=asked, message=str(error))


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response("not there", 404, media_type="text/plain")
    return Response(static_file(name), media_type=STATIC[name], headers={"Cache-Control": "max-age=3600"})
