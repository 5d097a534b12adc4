"""What the tests of the S3 lister need of object stores."""

import functools
import http.server
import urllib.parse
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
from botocore.config import Config

from dynamo_consistency.listers.s3 import S3Lister


@functools.cache
def _client(endpoint: str) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return botocore.session.Session().create_client("s3", endpoint_url=endpoint, config=config)


class ObjectStore:
    """A bucket of a real server."""

    def __init__(self, endpoint: str, bucket: str) -> None:
        self.endpoint, self.bucket = endpoint, bucket
        self.url = f"s3://{bucket}"
        self.client = _client(endpoint)
        self.client.create_bucket(Bucket=bucket)
        self.listers: list[S3Lister] = []

    def put(self, *keys: str, content: bytes = b"abc") -> None:
        for key in keys:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def lister(self, prefix: str = "", **options: Any) -> S3Lister:
        self.listers.append(S3Lister(f"{self.url}/{prefix}", self.endpoint, concurrency=2, **options))
        return self.listers[-1]

    def close(self) -> None:
        for lister in self.listers:
            lister.close()


TIME = "<LastModified>2026-01-02T03:04:05.250Z</LastModified>"


def page(prefix: str, keys: list[str], folders: tuple[str, ...] = (), time: str = TIME, **others: Any) -> str:
    """An answer with these keys; `others` add elements or, being None, take them away."""
    elements = {"Name": "bucket", "Prefix": prefix, "IsTruncated": "false"} | others
    text = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in elements.items() if value is not None)
    for key in keys:
        text += f"<Contents><Key>{escape(key)}</Key>{time}<Size>3</Size></Contents>"
    text += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders)
    return f'<?xml version="1.0"?><ListBucketResult>{text}</ListBucketResult>'


Answer = str | tuple[int, str]


class ScriptedStore:
    """Answers the probe as a store that does not encode, and then `answers` in turn; the last one again and again.

    An answer is a page, or (status, body). What is asked for without a delimiter is answered with `flat`, if any is.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        server.flat = None
        server.probe = page("+ %/", [])
        server.requests = []
        self.endpoint = f"http://127.0.0.1:{server.server_port}"

    def head(self, status: int, headers: dict[str, str]) -> None:
        """What it says to HEAD, of whatever key."""
        self._server.head = (status, headers)

    @property
    def requests(self) -> list[dict[str, str]]:
        return self._server.requests

    def lister(self, *answers: Answer, flat: Answer | None = None, probe: str | None = None) -> S3Lister:
        self._server.answers, self._server.flat = list(answers), flat
        self._server.probe = probe or self._server.probe
        return S3Lister("s3://bucket", self.endpoint, concurrency=1, timeout=20)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
            self.server.requests.append(query)
            answers = self.server.answers
            if query.get("prefix") == "+ %/":
                answer = self.server.probe
            elif "delimiter" not in query:
                more = page(query["prefix"], [], IsTruncated="true", NextContinuationToken="more")
                answer = self.server.flat or more
            else:
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_HEAD(self) -> None:
            status, headers = self.server.head
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass
