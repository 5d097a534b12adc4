"""What the kubelet and people ask: `/livez`, `/readyz` and `/healthz`, each 200 or 500 and a line of JSON.

A restart mends only a loop that is dead, so `/livez` is all that a liveness probe may ask: a slow start, an API server
that is away or a namespace without rights must not kill the operator. `/readyz`: what there is has been read, and is
served. `/healthz` names whatever is not as it should be.
"""

from typing import Any

from aiohttp import web

from consistency_operator.loop.supervisor import Supervisor


def answer(path: str, supervisor: Supervisor) -> web.Response:
    """The answer to one probe."""
    body: dict[str, Any] = {"delaySeconds": round(supervisor.overdue, 1)}
    match path:
        case "/livez":
            problems = supervisor.deadly_problems()
        case "/readyz":
            problems = [] if supervisor.census.filled else supervisor.census.problems()
        case "/healthz":
            problems = supervisor.problems()
        case _:
            return web.Response(status=404, text="there are /livez, /readyz and /healthz\n")
    return web.json_response(body | {"problems": problems}, status=500 if problems else 200)
