"""HTTP as Rucio's servers speak it: one request, one answer, and in words what is wrong with it.

Nothing is sent twice and no redirect is followed here: whoever asks knows whether asking again does harm.
"""

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from dynamo_consistency.backend.rucio.options import RestOptions
from dynamo_consistency.errors import BackendError, ConfigurationError
from dynamo_consistency.listers.webdav.identity import trust
from dynamo_consistency.secrets import redact

CONNECT_TIMEOUT = 10
"""Seconds in which a connection must be made."""

_REPEATED = 300
"""Characters of a server's message that are repeated."""


class AnswerError(BackendError):
    """The server has answered, and has not done what it was asked.

    `status` is that of HTTP, `kind` the name of Rucio's exception, empty where the server named none.
    """

    def __init__(self, sentence: str, status: int, kind: str) -> None:
        super().__init__(sentence)
        self.status, self.kind = status, kind


class LostAnswerError(BackendError):
    """It is not known whether the server has done what it was asked."""


class HttpAnswer(NamedTuple):
    """The answer to a request that was carried out."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RucioServer:
    """One of Rucio's servers. `certificate` and `key` are files that prove who asks."""

    def __init__(self, url: str, options: RestOptions, certificate: str | None = None, key: str | None = None) -> None:
        self._url, self._options = url, options
        self.place = urlsplit(url).netloc
        """For messages."""
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=options.timeout_seconds)
        try:
            context = _context(options.ca)
            if certificate is not None:
                context.load_cert_chain(certificate, key)
        except (OSError, ValueError) as error:  # ssl's errors are OSErrors
            files = ", ".join(file for file in (options.ca, certificate, key) if file) or "of authorities"
            raise ConfigurationError(f"the certificates {files} cannot be used: {error}") from None
        self._pool = urllib3.PoolManager(timeout=timeout, ssl_context=context, retries=False)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Sequence[tuple[str, str]] = (),
        content: object = None,
    ) -> HttpAnswer:
        """The answer to one request, sent once; `content` goes as JSON.

        Raises AnswerError and LostAnswerError; BackendError when nothing was sent, as no connection was made.
        """
        url = self._url + path + ("?" + urlencode(query) if query else "")
        body = None if content is None else json.dumps(content).encode("ascii")
        kind = {} if body is None else {"Content-Type": "application/json"}
        what = f"{method} {path}"
        try:
            response = self._pool.request(
                method, url, body=body, headers={"User-Agent": "dynamo-consistency", **kind, **headers}, redirect=False
            )
            answer = HttpAnswer(response.status, response.headers, response.data)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise BackendError(
                f"Rucio's server {self.place} cannot be reached: {_words(error)}; is its URL right, and is it up?"
            ) from None
        except HTTPError as error:
            if isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError):
                raise BackendError(
                    f"Rucio's server {self.place} cannot be trusted: {_words(error)}; correct `ca`, or its URL"
                ) from None
            raise self.lost(what, _words(error)) from None
        except ValueError:  # which repeats what it does not like
            raise ConfigurationError(
                "the Rucio account, its user name, password or token has a character that HTTP cannot carry; correct it"
            ) from None
        if not 200 <= answer.status < 300:
            raise self._complaint(what, answer)
        return answer

    def lost(self, what: str, reason: str) -> LostAnswerError:
        """The error for the request `what` (method and path) whose answer cannot be used, and why."""
        return LostAnswerError(
            redact(f"Rucio's server {self.place} did not answer {what} as it should: {reason}; run again")
        )

    def _complaint(self, what: str, answer: HttpAnswer) -> BackendError:
        """A server that names no exception is not Rucio but a proxy before it, and what Rucio did is unknown."""
        kind = answer.headers.get("ExceptionClass", "")
        message = f"{kind}: {answer.headers.get('ExceptionMessage', '')}" if kind else f"status {answer.status}"
        if answer.status >= 500 and not kind:
            return self.lost(what, message)
        sentence = f"Rucio's server {self.place} refused {what}: {' '.join(message.split())[:_REPEATED]}"
        return AnswerError(redact(sentence + self._advice(answer.status, kind)), answer.status, kind)

    def _advice(self, status: int, kind: str) -> str:
        if 300 <= status < 400:
            return "; it sends us elsewhere, where no credential is taken: correct its URL"
        if kind == "AccessDenied":
            return f"; give the account {self._options.account} the right to do it"
        if status in (401, 403):
            return f"; is the account {self._options.account} right, and are its credentials valid?"
        if status in (429, 503):
            return "; it is overloaded: run again later"
        return ""


def lines(answer: HttpAnswer) -> Iterator[Any]:
    """The values of an answer in JSON, one a line. Raises ValueError for what is none."""
    for line in answer.body.splitlines():
        if line.strip():
            yield json.loads(line)


def _context(ca: str | None) -> ssl.SSLContext:
    """What is trusted: the CAs of a file or of a directory; by default those of the system and of the grid."""
    if ca is None:
        return trust(None)
    return ssl.create_default_context(capath=ca) if Path(ca).is_dir() else ssl.create_default_context(cafile=ca)


def _words(error: HTTPError) -> str:
    """What went wrong, without the connection that it went wrong with."""
    words = redact(" ".join(str(error).split()))
    return words.partition("): ")[2] or words
