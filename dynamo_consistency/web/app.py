"""The web service as an ASGI application: pages, `/api/v1/`, `/metrics` and `/healthz`, behind the guard."""

import functools

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dynamo_consistency.web import api, metrics, pages
from dynamo_consistency.web.errors import handlers
from dynamo_consistency.web.guard import HEALTH, Access, Guard
from dynamo_consistency.web.view import StoreView


def application(view: StoreView, access: Access) -> ASGIApp:
    """Answers from `view` for whom `access` lets in."""
    routes = [
        Route(HEALTH, _health, methods=["GET"]),
        Route("/metrics", functools.partial(_metrics, view), methods=["GET"]),
        *api.routes(view),
        *pages.routes(view),
    ]
    return Guard(Starlette(routes=routes, exception_handlers=handlers()), access)


async def _health(request: Request) -> Response:
    """The service runs. A store that cannot be read is told by the pages: to start anew would not help."""
    return PlainTextResponse("ok\n")


def _metrics(view: StoreView, request: Request) -> Response:
    return Response(metrics.exposition(view), media_type=metrics.CONTENT_TYPE)
