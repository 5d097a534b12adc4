"""The client of an object store: where its credentials come from, and what its errors mean."""

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dynamo_consistency import secrets
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Failed
from dynamo_consistency.listers.protocols import install_hint

CONNECT_SECONDS = 10

_URL = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,62})(?:/(?P<prefix>.*))?", re.DOTALL)
_SLOW = {"SlowDown", "ServiceUnavailable", "RequestTimeout", "TooManyRequests", "Throttling", "ThrottlingException"}


class BucketPrefix(NamedTuple):
    """A bucket, and what comes before an LFN in its keys: nothing, or a prefix without a slash at its beginning."""

    bucket: str
    prefix: bytes

    @classmethod
    def parse(cls, url: str) -> "BucketPrefix":
        """From `s3://bucket/prefix`. Raises ConfigurationError for any other text."""
        match = _URL.fullmatch(url)
        prefix = (match["prefix"] or "").rstrip("/") if match else ""
        if match is None or {"", ".", ".."} & set(prefix.split("/") if prefix else ()):
            raise ConfigurationError(f"{secrets.redact(url)} is no place in an object store: write s3://bucket/prefix")
        return cls(match["bucket"], prefix.encode())

    def folder(self, directory: bytes) -> bytes:
        """The beginning of the keys of all that is in `directory`, an LFN; it ends in a slash."""
        return (self.prefix + directory.rstrip(b"/") + b"/").lstrip(b"/")

    def key(self, file: bytes) -> bytes:
        """The key of `file`, an LFN."""
        return (self.prefix + file).lstrip(b"/")


def connect(endpoint: str | None, connections: int, timeout: int) -> Any:
    """A botocore client for as many threads as `connections`; it asks once, since the walk asks again.

    `endpoint` is the URL of the store, None for the library's default; `timeout` in seconds is for each answer.
    Credentials are those of the variables, files or machine, as botocore finds them. Raises ConfigurationError when the
    library is lacking or the endpoint is invalid, ListingError without credentials.
    """
    try:
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ConfigurationError(f"object stores need a library: {install_hint('s3')}") from None
    once = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        connect_timeout=min(CONNECT_SECONDS, timeout),
        read_timeout=timeout,
    )
    try:
        session = botocore.session.Session()
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
        credentials = session.get_credentials()
        client = session.create_client("s3", endpoint_url=endpoint, config=once)
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"the object store cannot be used: {_sentence(error)}") from None
    if credentials is None:
        raise ListingError(
            "there are no credentials for the object store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_SHARED_CREDENTIALS_FILE"
        )
    frozen = credentials.get_frozen_credentials()
    secrets.remember(frozen.secret_key or "")
    secrets.remember(frozen.token or "")
    return client


def _timestamp(text: str) -> datetime:
    """A time as servers write it; the library's own way to read all kinds takes as long as all else together."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        from botocore.utils import parse_timestamp

        when = parse_timestamp(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def is_absent(error: Exception) -> bool:
    """Does an error of the library say that there is no such object, or no such bucket?"""
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return False
    return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404)


def failed(error: Exception) -> Failed:
    """What an error of the library means for the directory that was asked for."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(error, exceptions.ClientError):
        reported = error.response.get("Error", {})
        code, message = str(reported.get("Code", "")), str(reported.get("Message", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        slow = code in _SLOW or status in (408, 429, 503)
        reason = secrets.redact(" ".join(f"{message.rstrip('.')} ({code})".split()))
        return Failed(reason, retry=slow or status >= 500 or code == "InternalError", slow=slow)
    if isinstance(error, exceptions.HTTPClientError):
        silent = isinstance(error, exceptions.ReadTimeoutError | exceptions.ConnectTimeoutError)
        return Failed(_sentence(error), retry=True, slow=silent)
    if isinstance(error, ResponseParserError):
        return Failed("its answer is not whole, or no answer of an object store", retry=True)
    return Failed(_sentence(error))


def _sentence(error: Exception) -> str:
    """What the library says, without the query of the request."""
    text = re.sub(r"\?[^\s\"]*", "", " ".join(str(error).split()))
    return secrets.redact(text.rstrip(".") or type(error).__name__)
