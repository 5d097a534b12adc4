"""The files beside the pages: the same for a server and for pages that are files."""

from importlib.resources import files

STATIC = {
    "style.css": "text/css",
    "hover.js": "text/javascript",
    "reload.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""Their names and types."""


def static_file(name: str) -> bytes:
    """One of `STATIC`."""
    return files("dynamo_consistency.web").joinpath("static", name).read_bytes()
