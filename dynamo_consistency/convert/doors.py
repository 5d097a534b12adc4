"""A door as it stood in a predecessor's configuration, as what lists a site."""

from typing import Any

from dynamo_consistency.convert.limits import without_nothing
from dynamo_consistency.convert.settings import Settings
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.webdav.url import Door as WebDavDoor
from dynamo_consistency.listers.xrootd.url import Door as XRootDDoor


def door_source(settings: Settings, key: str, door: str, prefix: str) -> dict[str, Any] | None:
    """`listing.source` for a door, XRootD's where it does not say otherwise; None, and a note, where it is none."""
    web = door.startswith(("davs://", "dav://", "https://", "http://"))
    try:
        name = door if web or "://" in door else f"root://{door}"
        (WebDavDoor if web else XRootDDoor).parse(name)
    except ConfigurationError as error:
        settings.note(key, f"{error}: left out")
        return None
    components = "/".join(part for part in prefix.split("/") if part)
    said = without_nothing({"servers": [name], "prefix": f"/{components}" if components else None})
    return {"webdav" if web else "xrootd": said}
