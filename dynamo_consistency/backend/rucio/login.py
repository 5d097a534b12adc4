"""Tokens for Rucio: for a user's password, for a certificate, or ready made."""

import os
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency import secrets
from dynamo_consistency.backend.rucio.options import RestOptions
from dynamo_consistency.backend.rucio.server import Server
from dynamo_consistency.errors import ConfigurationError

TOKEN_HEADER = "X-Rucio-Auth-Token"  # noqa: S105 (a name)


def new_token(options: RestOptions) -> str:
    """A token of the account: fresh from the server, or from where whoever renews it leaves it.

    Raises ConfigurationError where there is nothing to prove the account with, BackendError as `Server.ask` does.
    """
    if options.auth == "token":
        return _ready_made(options)
    headers = {"X-Rucio-Account": options.account}
    url = options.auth_url or options.url
    if options.auth == "userpass":
        headers |= {"X-Rucio-Username": options.username or "", "X-Rucio-Password": _password(options)}
        server = Server(url, options)
    else:
        server = Server(url, options, *_certificate(options))
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
    """The token of `tokenFile`, or one that is found as everywhere on the grid (WLCG bearer token discovery)."""
    if options.token_file is not None:
        return secrets.read_secret_file(options.token_file)
    if token := os.environ.get("BEARER_TOKEN", "").strip():
        return secrets.remember(token)
    for file in _token_files():
        if Path(file).is_file():
            return secrets.read_secret_file(file)
    raise ConfigurationError("there is no token: name a tokenFile, or set BEARER_TOKEN_FILE")


def _token_files() -> Iterator[str]:
    if named := os.environ.get("BEARER_TOKEN_FILE"):
        yield named
    for folder in (os.environ.get("XDG_RUNTIME_DIR"), "/tmp"):  # noqa: S108 (that is where it is looked for)
        if folder:
            yield f"{folder}/bt_u{os.geteuid()}"


def _certificate(options: RestOptions) -> tuple[str, str | None]:
    """(file of the certificate or proxy, file of its key if that is another): named, or as everywhere on the grid."""
    if options.certificate is not None:
        return options.certificate, options.key
    if proxy := os.environ.get("X509_USER_PROXY"):
        return proxy, None
    if (certificate := os.environ.get("X509_USER_CERT")) and (key := os.environ.get("X509_USER_KEY")):
        return certificate, key
    proxy = f"/tmp/x509up_u{os.geteuid()}"  # noqa: S108 (that is where it is looked for)
    if Path(proxy).is_file():
        return proxy, None
    raise ConfigurationError("there is no certificate: name one, or set X509_USER_PROXY")
