"""The calls to Rucio's REST interface that a check needs, with the token that they need.

Reading goes by the catalogue (`connect`); here is what it does not show, and the only two ways in which Rucio is ever
asked to change anything: `declare_bad` and `quarantine`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.options import RestOptions, VoScopes
from dynamo_consistency.backend.rucio.rest.http import AnswerError, HttpAnswer, LostAnswerError, RucioServer, lines
from dynamo_consistency.backend.rucio.rest.tokens import TOKEN_HEADER, new_token

__all__ = ["AnswerError", "LostAnswerError", "NotDeclared", "RestClient", "rest_id"]

NAMES_IN_A_QUERY = 20

NotDeclared = Literal["declared", "unknown"]


def rest_id(rse: Any) -> str:
    """The id of an RSE as the server writes it; a catalogue has it as text, UUID or bytes."""
    return rse.hex() if isinstance(rse, bytes) else str(rse).replace("-", "").lower()


class RestClient:
    """Rucio's server. Nothing is asked before the first call; every call raises what `RucioServer.ask` raises."""

    def __init__(self, options: RestOptions, scopes: VoScopes = VoScopes()) -> None:  # noqa: B008 (it cannot change)
        """`scopes`: DIDs are the catalogue's, and the server has its own way to write their scopes."""
        self._options = options
        self._scopes = scopes
        self._server = RucioServer(options.url, options)
        self._token: str | None = None

    @property
    def place(self) -> str:
        """Which server, for messages."""
        return self._server.place

    def ping(self) -> str:
        """The server's version; this needs no account."""
        reply = self._read("/ping", self._server.ask("GET", "/ping", {}))
        if not isinstance(reply, dict) or not isinstance(reply.get("version"), str):
            raise self._server.lost("GET /ping", "it names no version; is this Rucio?")
        return str(reply["version"])

    def rse(self, rse: str) -> Mapping[str, Any]:
        """What the server says of an RSE: `id`, `deterministic`, `protocols`, …"""
        path = f"/rses/{quote(rse, safe='')}"
        reply = self._read(path, self._ask("GET", path))
        if not isinstance(reply, dict) or "id" not in reply:
            raise self._server.lost(f"GET {path}", "it describes no RSE")
        return reply

    def rses(self, expression: str) -> set[str]:
        """The RSEs of an expression; none where it is right but fits none."""
        try:
            answer = self._ask("GET", "/rses/", [("expression", expression)])
        except AnswerError as error:
            if error.kind == "InvalidRSEExpression" and "empty set" in str(error):
                return set()
            raise
        try:
            return {str(reply["rse"]) for reply in lines(answer)}
        except (ValueError, KeyError, TypeError):
            raise self._server.lost("GET /rses/", "it lists no RSEs") from None

    def lfns2pfns(self, rse: str, dids: Sequence[tuple[str, str]]) -> dict[Did, str]:
        """The PFN of each (scope, name) at an RSE, as the server makes it."""
        found: dict[Did, str] = {}
        path = f"/rses/{quote(rse, safe='')}/lfns2pfns"
        for start in range(0, len(dids), NAMES_IN_A_QUERY):
            some = dids[start : start + NAMES_IN_A_QUERY]
            asked = {Did(scope, name): f"{self._scopes.outside(scope)}:{name}" for scope, name in some}
            reply = self._read(path, self._ask("GET", path, [("lfn", text) for text in asked.values()]))
            try:
                found |= {did: str(reply[text]) for did, text in asked.items()}
            except (KeyError, TypeError):
                raise self._server.lost(f"GET {path}", "it does not give all PFNs") from None
        return found

    def available(self, dids: Sequence[Did]) -> dict[Did, set[str]]:
        """The RSEs where each file is available and can be read, as the server sees it; only of files that it knows."""
        path = "/replicas/list"
        content = {"dids": [self._outside(did) for did in dids], "sort": "random"}  # sorting by distance is slow
        try:
            rows = [
                (line["scope"], line["name"], line["states"])
                for line in lines(self._ask("POST", path, content=content))
            ]
            return {
                Did(self._scopes.inside(scope), name): {rse for rse, state in states.items() if state == "AVAILABLE"}
                for scope, name, states in rows
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._server.lost(f"POST {path}", "it lists no replicas") from None

    def declare_bad(self, rse_id: str, dids: Sequence[Did], reason: str) -> dict[Did, NotDeclared]:
        """Declare replicas bad; those that were not, as they are already, or are none.

        All or nothing: after an AnswerError none is declared. `reason` has at most 255 characters.
        """
        path = "/replicas/bad"
        replicas = [{**self._outside(did), "rse_id": rse_id} for did in dids]
        # `force` would declare again what is on its way back already.
        content = {"replicas": replicas, "reason": reason, "force": False}
        reply = self._read(path, self._ask("POST", path, content=content))
        known: dict[str, tuple[Did, NotDeclared]] = {}
        for did in dids:
            for scope in (did.scope, self._scopes.outside(did.scope)):
                known[f"{scope}:{did.name} Already declared"] = did, "declared"
                known[f"({scope}, {did.name!r}) Unknown replica"] = did, "unknown"
        try:
            return dict(known[text] for texts in reply.values() for text in texts)
        except (KeyError, TypeError, AttributeError):
            raise self._server.lost(f"POST {path}", "it says something unknown about a replica") from None

    def quarantine(self, rse_id: str, files: Mapping[str, Did]) -> None:
        """Hand files over to Rucio's dark reaper, by their paths below the RSE's prefix.

        All or nothing, and without a word of what was left out: what is registered, or in quarantine already. A call
        that has nothing to add is an AnswerError.
        """
        replicas = [{"path": path, **self._outside(did)} for path, did in files.items()]
        path = "/replicas/quarantine"
        if self._ask("POST", path, content={"rse_id": rse_id, "replicas": replicas}).body.strip():
            raise self._server.lost(f"POST {path}", "it says something where Rucio says nothing")

    def _ask(self, method: str, path: str, query: Sequence[tuple[str, str]] = (), content: object = None) -> HttpAnswer:
        """One request, with a token that is renewed once if the server takes it no more; then nothing was done."""
        fresh = self._token is None
        try:
            return self._server.ask(method, path, self._headers(), query, content)
        except AnswerError as error:
            if fresh or error.status != 401 or error.kind == "AccessDenied":
                raise
        self._token = None
        return self._server.ask(method, path, self._headers(), query, content)

    def _headers(self) -> dict[str, str]:
        if self._token is None:
            self._token = new_token(self._options, self._scopes.vo)
        return {TOKEN_HEADER: self._token, "X-Rucio-Account": self._options.account}

    def _outside(self, did: Did) -> dict[str, str]:
        return {"scope": self._scopes.outside(did.scope), "name": did.name}

    def _read(self, path: str, answer: HttpAnswer) -> Any:
        try:
            return json.loads(answer.body)
        except ValueError:
            raise self._server.lost(path, "its answer is no JSON") from None
