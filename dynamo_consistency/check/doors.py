"""How the doors of a site are written: a host, with or without a scheme and a port; never a path or a user."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_HOST_AND_PORT = (
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"/{0,2}"
)
"""What stands behind a scheme; an IPv6 address is in brackets."""
XROOTD_DOOR = r"(?:(?P<scheme>roots?|xroots?)://)?" + _HOST_AND_PORT
WEBDAV_DOOR = r"(?:(?P<scheme>davs?|webdavs?|https?)://)?" + _HOST_AND_PORT
"""Regular expressions for a whole door, which may have blanks around it."""

XROOTD_FORMS = "must be a host, host:port, root://host:port or roots://host:port; a path belongs into prefix"
WEBDAV_FORMS = (
    "must be davs://host:port, https://host:port, or dav:// and http:// without TLS; a path belongs into prefix"
)


def _xrootd(door: str) -> str:
    return _matching(door, XROOTD_DOOR, XROOTD_FORMS)


def _webdav(door: str) -> str:
    return _matching(door, WEBDAV_DOOR, WEBDAV_FORMS)


def _matching(door: str, expression: str, forms: str) -> str:
    """The sentence does not repeat the door: what is before an @ may be a password."""
    match = re.fullmatch(expression, door.strip())
    if not match:
        raise ValueError(forms)
    if match["port"] and not 0 < int(match["port"]) < 65536:
        raise ValueError(f"must have a port from 1 to 65535; it is {match['port']}")
    return door


_Text = Annotated[str, Field(min_length=1, max_length=253)]
XRootDDoorName = Annotated[_Text, AfterValidator(_xrootd)]
WebDavDoorName = Annotated[_Text, AfterValidator(_webdav)]
