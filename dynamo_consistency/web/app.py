"""The web service as an ASGI application: pages, `/api/v1/`, `/metrics` and `/healthz`, behind the guard."""

import functools

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dynamo_consistency.web import api, metrics, pages
from dynamo_consistency.web.errors import handlers
from dynamo_consistency.web.guard import HEALTH, Access, Guard
from dynamo_consistency.web.view import StoreView

_WORTH_PACKING = 4096
"""Bytes. The page of two hundred sites becomes a twentieth, in some milliseconds; nothing in it is secret."""


def application(view: StoreView, access: Access) -> ASGIApp:
    """Answers from `view` for whom `access` lets in."""
    routes = [
        Route(HEALTH, _health, methods=["GET"]),
        Route("/metrics", functools.partial(_metrics, view), methods=["GET"]),
        *api.routes(view),
        *pages.routes(view),
    ]
    packed = Middleware(GZipMiddleware, minimum_size=_WORTH_PACKING, compresslevel=3)
    return Guard(Starlette(routes=routes, middleware=[packed], exception_handlers=handlers()), access)


async def _health(request: Request) -> Response:
    """The service runs. A store that cannot be read is told by the pages: to start anew would not help."""
    return PlainTextResponse("ok\n")


def _metrics(view: StoreView, request: Request) -> Response:
    return Response(metrics.exposition(view), media_type=metrics.CONTENT_TYPE)
