"""The HTML pages, over the same answers as `/api/v1/`: templates without scripts, and charts that are part of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from dynamo_consistency.web.view import StoreView


def routes(view: "StoreView") -> "list[BaseRoute]":
    """`/`, `/sites/{site}`, `/sites/{site}/runs/{run_id}`, `/file` and `/static/…`.

    Behind a reverse proxy with a prefix, `request.scope["root_path"]` is what every link begins with. The policy for
    content allows styles, scripts and images of this server alone, and nothing inline: no style attributes either.
    Values of a query are bytes: see `query.Query`. All lists are below `/api/v1/sites/{site}/runs/{run_id}/lists/`.
    """
    from dynamo_consistency.web.pages.served import page_routes  # files are written without a server's libraries

    return page_routes(view)


def error_page(request: "Request", status: int, sentence: str) -> "Response":
    """What a person sees in place of a page. `sentence`: safe for the eye, to be escaped."""
    from dynamo_consistency.web.pages.served import error_response

    return error_response(request, status, sentence)
