"""What is answered where there is no answer: one sentence, as JSON for programs and as a page for people."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.web.index.digest import safe
from dynamo_consistency.web.pages import error_page
from dynamo_consistency.web.queries.database import BusyError, TooBigError
from dynamo_consistency.web.query import WrongQueryError
from dynamo_consistency.web.view import NotThereError

log = logging.getLogger(__name__)

Handler = Callable[[Request, Exception], Response]


def handlers() -> Mapping[Any, Handler]:
    """By kind of error. What nobody has foreseen is logged, and the answer tells nothing of it."""
    return {
        NotThereError: _handler(404),
        WrongQueryError: _handler(400),
        TooBigError: _handler(400),
        BusyError: _handler(503),
        ConsistencyError: _handler(503),
        HTTPException: _of_starlette,
        Exception: _unexpected,
    }


def _handler(status: int) -> Handler:
    def handle(request: Request, error: Exception) -> Response:
        if status == 503:
            log.warning("%s: %s", request.url.path, safe(error))
        return _answer(request, status, safe(error))

    return handle


def _of_starlette(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(request, status, "there is nothing at this address" if status == 404 else "this cannot be answered")


def _unexpected(request: Request, error: Exception) -> Response:
    return _answer(request, 500, "something unexpected has happened; the log of the service tells what")


def _answer(request: Request, status: int, sentence: str) -> Response:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if path.startswith(("/api/", "/metrics", "/healthz")):
        answer = Response(json.dumps({"error": sentence}), status, media_type="application/json")
    else:
        answer = error_page(request, status, sentence)
    if status == 503:
        answer.headers["retry-after"] = "5"
    return answer
