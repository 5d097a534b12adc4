"""Tokens for Rucio: for a user's password, for a certificate, or ready made."""

import os
import time

from dynamo_consistency import secrets
from dynamo_consistency.backend.rucio.options import RestOptions
from dynamo_consistency.backend.rucio.rest.http import RucioServer
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers import credentials
from dynamo_consistency.listers.credentials import Credential

VO_HEADER = "X-Rucio-VO"
TOKEN_HEADER = "X-Rucio-Auth-Token"  # noqa: S105 (a name)


def new_token(options: RestOptions, vo: str = "def") -> str:
    """A token of the account in a VO: fresh from the server, or from where whoever renews it leaves it.

    Raises ConfigurationError where there is nothing to prove the account with, BackendError as `RucioServer.ask` does.
    """
    if options.auth == "token":
        return _ready_made(options)
    headers = {"X-Rucio-Account": options.account} | ({} if vo == "def" else {VO_HEADER: vo})
    url = options.auth_url or options.url
    if options.auth == "userpass":
        headers |= {"X-Rucio-Username": options.username or "", "X-Rucio-Password": _password(options)}
        server = RucioServer(url, options)
    else:
        server = RucioServer(url, options, *_certificate(options))
    path = f"/auth/{options.auth}"
    token = server.ask("GET", path, headers).headers.get(TOKEN_HEADER)
    if not token:
        raise server.lost(f"GET {path}", "there is no token in its answer")
    return secrets.remember(token)


def _password(options: RestOptions) -> str:
    if options.password_file is None:
        raise ConfigurationError("auth userpass needs passwordFile")
    return secrets.read_secret_file(options.password_file)


def _ready_made(options: RestOptions) -> str:
    """The token of `tokenFile`, or the one that every tool on the grid would take."""
    if options.token_file is not None:
        return secrets.read_secret_file(options.token_file)
    token = _good(credentials.token(time.time()), "there is no token: name a tokenFile, or set BEARER_TOKEN_FILE")
    text = token.paths[0].read_text(encoding="utf-8") if token.paths else os.environ["BEARER_TOKEN"]
    return secrets.remember(text.strip())


def _certificate(options: RestOptions) -> tuple[str, str | None]:
    """(file of the certificate or proxy, file of its key if that is another): named, or as the grid has it."""
    if options.certificate is not None:
        return options.certificate, options.key
    lacking = "there is no certificate: name one, or set X509_USER_PROXY"
    certificate, *key = _good(credentials.x509(time.time(), certificates=True), lacking).paths
    return str(certificate), str(key[0]) if key else None


def _good(found: Credential | None, lacking: str) -> Credential:
    if found is None or found.problem:
        raise ConfigurationError(found.problem if found and found.problem else lacking)
    return found
