"""Where the pages are: behind a server, or as files that lead to each other by relative links."""

import re
from typing import Protocol
from urllib.parse import quote, urlencode

from dynamo_consistency import paths

Query = dict[str, str]


class Links(Protocol):
    """Addresses, ready for `href`. None: there is no such page. Names are as the store has them."""

    searches: bool
    """Whether there is a server that filters, sorts and searches."""
    user: str
    """Who looks at the pages, where that is known."""

    def static(self, name: str) -> str: ...

    def sites(self, **query: str) -> str: ...

    def wall(self) -> str: ...

    def site(self, site: str, check: str | None = None, measure: str = "files") -> str: ...

    def run(self, site: str, run_id: str, **query: str) -> str | None: ...

    def download(self, site: str, run_id: str, name: str) -> str | None: ...

    def file(self, site: str = "", quoted: str = "") -> str | None: ...


class ServedLinks:
    """Behind a server, whose pages all begin with `root`: empty, or the prefix of a reverse proxy."""

    searches = True

    def __init__(self, root: str = "", user: str = "") -> None:
        self._root, self.user = root.rstrip("/"), user

    def static(self, name: str) -> str:
        return f"{self._root}/static/{name}"

    def sites(self, **query: str) -> str:
        return f"{self._root}/{_query(query)}"

    def wall(self) -> str:
        return f"{self._root}/?wall"

    def site(self, site: str, check: str | None = None, measure: str = "files") -> str:
        given = {"check": check or "", "measure": "" if measure == "files" else measure}
        return f"{self._root}/sites/{_component(site)}{_query(given)}"

    def run(self, site: str, run_id: str, **query: str) -> str | None:
        return f"{self._root}{self._run(site, run_id)}{_query(query)}"

    def download(self, site: str, run_id: str, name: str) -> str | None:
        return f"{self._root}/api/v1{self._run(site, run_id)}/lists/{_component(name)}"

    def file(self, site: str = "", quoted: str = "") -> str | None:
        parts = [f"site={_component(site)}"] if site else []
        parts += [f"path={quoted}"] if quoted else []
        return f"{self._root}/file{'?' if parts else ''}{'&'.join(parts)}"

    def _run(self, site: str, run_id: str) -> str:
        return f"/sites/{_component(site)}/runs/{_component(run_id)}"


Runs = set[tuple[str, str]]
"""Runs as (site, run id)."""


class FileLinks:
    """Between files, from one that is `depth` folders below the first page.

    `has_run`, `has_list`: which runs have a page, and which have lists to download beside it. `has_check`: which checks
    have a page of their own, as (site, check), beside that of their site.
    """

    searches = False
    user = ""

    def __init__(self, depth: int, has_run: Runs, has_list: Runs, has_check: set[tuple[str, str]]) -> None:
        self._up = "../" * depth
        self._has_run, self._has_list, self._has_check = has_run, has_list, has_check

    def static(self, name: str) -> str:
        return f"{self._up}static/{name}"

    def sites(self, **query: str) -> str:
        return f"{self._up}index.html"

    def wall(self) -> str:
        return f"{self._up}wall.html"

    def site(self, site: str, check: str | None = None, measure: str = "files") -> str:
        own = check if check is not None and (site, check) in self._has_check else None
        return self._up + quote(site_file(site, own, measure))

    def run(self, site: str, run_id: str, **query: str) -> str | None:
        return f"{self._up}{quote(run_folder(site, run_id))}/index.html" if (site, run_id) in self._has_run else None

    def download(self, site: str, run_id: str, name: str) -> str | None:
        has = (site, run_id) in self._has_list
        return self._up + quote(f"{run_folder(site, run_id)}/{file_name(name)}") if has else None

    def file(self, site: str = "", quoted: str = "") -> str | None:
        return None


def site_file(site: str, check: str | None = None, measure: str = "files") -> str:
    """The file of the page of a site, or of one of its checks; names are relative to the first page."""
    name = f"check-{file_name(check)}" if check else "index"
    return f"sites/{file_name(site)}/{name}{'' if measure == 'files' else '-' + measure}.html"


def run_folder(site: str, run_id: str) -> str:
    return f"sites/{file_name(site)}/runs/{file_name(run_id)}"


def file_name(name: str) -> str:
    """`name` as the name of a file, no two the same: what is not a plain letter, digit or sign is `=` and its byte."""
    plain = re.sub(rb"[^A-Za-z0-9._-]", lambda sign: b"=%02X" % ord(sign[0]), paths.to_bytes(name))
    text = plain.decode()
    return f"=2E{text[1:]}" if text.startswith(".") else text


def _component(name: str) -> str:
    return quote(paths.to_bytes(name), safe="")


def _query(given: Query) -> str:
    """What is empty is left out."""
    told = {key: paths.to_bytes(value) for key, value in given.items() if value}
    return f"?{urlencode(told)}" if told else ""
