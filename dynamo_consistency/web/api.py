"""`/api/v1/`: the answers as JSON, the lists to download, and the document that describes them."""

import functools
import itertools
from collections.abc import Callable, Generator
from typing import Any, get_args

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from dynamo_consistency.web.answers.findings import SORTS
from dynamo_consistency.web.lists import MEDIA_TYPES
from dynamo_consistency.web.models import STATES, Answer
from dynamo_consistency.web.models.site import Measure
from dynamo_consistency.web.openapi import document
from dynamo_consistency.web.query import Query
from dynamo_consistency.web.view import StoreView

PREFIX = "/api/v1"
LIST = "/sites/{site}/runs/{run_id}/lists/{name}"


def routes(view: StoreView) -> list[BaseRoute]:
    """Every answer has one address. They run in threads: they read files."""
    answers: dict[str, Callable[[Request, Query], Answer]] = {
        "/sites": functools.partial(_sites, view),
        "/sites/{site}": functools.partial(_site, view),
        "/sites/{site}/runs/{run_id}": lambda request, _: view.run(**request.path_params),
        "/sites/{site}/runs/{run_id}/findings/{kind}": functools.partial(_findings, view),
        "/sites/{site}/file": lambda request, query: view.find_file(**request.path_params, path=query.raw("path")),
    }
    return [
        *(Route(PREFIX + path, _as_json(answer), methods=["GET"]) for path, answer in answers.items()),
        Route(PREFIX + LIST, functools.partial(_list, view), methods=["GET"]),
        Route(f"{PREFIX}/openapi.json", _openapi, methods=["GET"]),
    ]


def _as_json(answer: Callable[[Request, Query], Answer]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        content = answer(request, Query(request)).model_dump_json(by_alias=True)
        return Response(content, media_type="application/json")

    return endpoint


def _sites(view: StoreView, request: Request, query: Query) -> Answer:
    return view.sites(query.text("text"), query.choice("state", *STATES))


def _site(view: StoreView, request: Request, query: Query) -> Answer:
    measure: Measure | None = query.choice("measure", *get_args(Measure))
    return view.site(request.path_params["site"], query.text("check") or None, measure or "files")


def _findings(view: StoreView, request: Request, query: Query) -> Answer:
    return view.findings(
        **request.path_params,
        sort=query.choice("sort", *SORTS),
        descending=query.flag("descending"),
        text=query.text("text"),
    )


def _list(view: StoreView, request: Request) -> Response:
    """A file to save, whatever it holds: no browser shows it as a page."""
    pieces = view.list_pieces(**request.path_params)
    next(pieces)
    first = next(pieces, b"")  # that a file is damaged is known before anything of it is sent
    site, run_id, name = (request.path_params[key] for key in ("site", "run_id", "name"))
    return _ListResponse(
        first,
        pieces,
        media_type=MEDIA_TYPES[name.rpartition(".")[2]],
        headers={"content-disposition": f'attachment; filename="{site}-{run_id}-{name}"'},
    )


class _ListResponse(StreamingResponse):
    """Gives the place among the downloads back also when whoever reads goes away."""

    def __init__(self, first: bytes, pieces: Generator[bytes], **options: Any) -> None:
        super().__init__(itertools.chain([first], pieces), **options)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._pieces.close)


@functools.cache
def _document() -> str:
    return document(PREFIX)


def _openapi(request: Request) -> Response:
    return Response(_document(), media_type="application/json")
