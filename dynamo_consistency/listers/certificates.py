"""When certificates expire, read without a library for them: Python's own `ssl` does not give it."""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def chain_end(pem: str) -> float:
    """When a chain of certificates (PEM) expires, in seconds since 1970: with the first of them that does.

    Raises ValueError or IndexError for a text that is no such chain.
    """
    return min(not_after(ssl.PEM_cert_to_DER_cert(block)) for block in _CERTIFICATE.findall(pem))


def not_after(der: bytes) -> float:
    """When a certificate (DER) expires, in seconds since 1970. Raises ValueError or IndexError for other bytes.

    Reads just the way there (RFC 5280): Certificate > TBSCertificate > [version] serial algorithm issuer *validity*.
    """
    signed = _content(_content(der))
    fields = list(_elements(signed))
    validity = fields[4 if fields[0][0] == 0xA0 else 3]
    end = list(_elements(_content(validity)))[1]
    text = _content(end).decode()
    if end[0] == 0x17:  # UTCTime has two digits of the year; RFC 5280 puts 50 to 99 into the last century
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _elements(der: bytes) -> Iterator[bytes]:
    while der:
        start, length = _header(der)
        yield der[: start + length]
        der = der[start + length :]


def _content(element: bytes) -> bytes:
    start, length = _header(element)
    return element[start : start + length]


def _header(element: bytes) -> tuple[int, int]:
    """Where the content of a DER element starts, and how long it is."""
    length = element[1]
    if length < 0x80:
        return 2, length
    size = length & 0x7F
    return 2 + size, int.from_bytes(element[2 : 2 + size], "big")
