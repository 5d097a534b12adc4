"""Words to put things into a real Rucio, the fixture `rucio`:

    site = rucio.rse()                              a deterministic RSE, files of which are in `site.folder`
    rucio.file(site, "name", b"content")            a replica there, as an upload leaves it: catalogue and storage
    rucio.row(site, "name", state="U")              … in the catalogue alone, behind the server's back; `rows`: many
    rucio.rule("name", site)                        Rucio has it transferred there
    rucio.dataset("d", ["name"])                    … in a dataset
    rucio.run("necromancer")                        a daemon of Rucio, once: see daemons.py
    rucio.ask("POST", "/replicas/bad", {…})         anything else by REST
    rucio.sql("UPDATE replicas SET …", name=…)      … and behind its back
    rucio.backend(rest=rucio.rest_options())        our backend on its catalogue

The server is shared by all tests of a session; what a test makes has names that no other has, so that it does not see
theirs: RSEs, and `rucio.scope`, which is meant wherever no scope is named.
"""

import itertools
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rucio_server import RucioServer

BEST = {"read": 1, "write": 1, "delete": 1}
DOMAINS = {"lan": BEST, "wan": {**BEST, "third_party_copy_read": 1, "third_party_copy_write": 1}}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Site:
    """An RSE, and the folder that stands behind its protocol `file`."""

    name: str
    folder: Path

    def files(self) -> dict[str, bytes]:
        """What is stored: path below the prefix → content."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()
        }


class Rucio:
    """What one test makes on a server."""

    def __init__(self, server: RucioServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.run, self.rest, self.ask, self.sql = server.run, server.rest, server.ask, server.sql
        self.number = f"{os.getpid()}-{next(_numbers)}"
        self.scope = self.add_scope(f"s{self.number}")

    def add_scope(self, scope: str) -> str:
        status, said = self.rest("POST", f"/scopes/root/{scope}")
        assert status in (201, 409), said
        return scope

    def rse(
        self,
        name: str = "SITE",
        *,
        algorithm: str | None = None,
        protocols: Sequence[dict[str, Any]] | None = None,
        attributes: dict[str, str] | None = None,
        **settings: Any,
    ) -> Site:
        """An RSE that root may use without limit; `settings` such as `deterministic=False`, `rse_type="TAPE"`."""
        unique = f"{name}-{os.getpid()}-{next(_numbers)}"
        site = Site(unique, self.folder / unique)
        site.folder.mkdir()
        self.ask("POST", f"/rses/{site.name}", settings)
        for protocol in [{"scheme": "file", "prefix": f"{site.folder}/"}] if protocols is None else protocols:
            self.protocol(site, **protocol)
        for key, value in {**(attributes or {}), **({"lfn2pfn_algorithm": algorithm} if algorithm else {})}.items():
            self.ask("POST", f"/rses/{site.name}/attr/{key}", {"value": value})
        self.ask("POST", f"/accountlimits/local/root/{site.name}", {"bytes": -1})
        return site

    def protocol(self, site: Site, scheme: str, **settings: Any) -> None:
        local = {"hostname": "localhost", "port": 0, "impl": "rucio.rse.protocols.posix.Default", "domains": DOMAINS}
        self.ask("POST", f"/rses/{site.name}/protocols/{scheme}", {"extended_attributes": None, **local, **settings})

    def file(
        self, site: Site, name: str, content: bytes | None = b"abc", *, scope: str | None = None, **settings: Any
    ) -> bytes:
        """A replica, and its file in the folder unless `content` is None; the path below the prefix.

        `settings` such as `state="C"`, or `pfn=…`, which a non-deterministic RSE needs.
        """
        did = {"scope": scope or self.scope, "name": name}
        stored = b"abc" if content is None else content
        facts = {"bytes": len(stored), "adler32": f"{zlib.adler32(stored):08x}"}
        self.ask("POST", "/replicas", {"rse": site.name, "files": [{**did, **facts, **settings}]})
        path = self.path(site, name, scope) if "pfn" not in settings else settings["pfn"].partition(str(site.folder))[2]
        if content is not None:
            self.store(site, path, content)
        return path.encode()

    def row(self, site: Site, name: str, *, scope: str | None = None, size: int = 3, **values: Any) -> None:
        """A replica behind the server's back: its schema only takes the plainest names. `values` are columns."""
        row = {"scope": scope or self.scope, "name": name, "bytes": size, "rse": site.name, "now": datetime.now(UTC)}
        if self.sql("SELECT 1 FROM dids WHERE scope = :scope AND name = :name", **row) == []:
            self.sql(
                "INSERT INTO dids (scope, name, account, did_type, availability, bytes, created_at, updated_at) "
                "VALUES (:scope, :name, 'root', 'F', 'A', :bytes, :now, :now)",
                **row,
            )
        values = {"state": "A", "lock_cnt": 0, **values}
        columns, marks = ", ".join(values), ", ".join(f":{column}" for column in values)
        self.sql(
            f"INSERT INTO replicas (rse_id, scope, name, bytes, created_at, updated_at, {columns}) "
            f"SELECT id, :scope, :name, :bytes, :now, :now, {marks} FROM rses WHERE rse = :rse",
            **row,
            **values,
        )

    def rows(self, site: Site, number: int, start: str = "f") -> None:
        """Many replicas at once, of 1, 2, 3, … bytes, named `start` and their size."""
        numbers = (
            f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) SELECT i FROM n)"
        )
        self.sql(
            "INSERT INTO dids (scope, name, account, did_type, availability, bytes, created_at, updated_at) "
            f"SELECT r.scope, '{start}' || n.i, 'root', 'F', 'A', n.i, r.created_at, r.updated_at "
            f"FROM scopes r, {numbers} n WHERE r.scope = :scope",
            scope=self.scope,
        )
        self.sql(
            "INSERT INTO replicas (rse_id, scope, name, bytes, state, lock_cnt, created_at, updated_at) "
            "SELECT r.id, d.scope, d.name, d.bytes, 'A', 0, d.created_at, d.updated_at "
            "FROM rses r, dids d WHERE r.rse = :rse AND d.scope = :scope AND d.name LIKE :names",
            scope=self.scope,
            rse=site.name,
            names=f"{start}%",
        )

    def store(self, site: Site, path: str, content: bytes = b"dark") -> bytes:
        """A file that the catalogue does not know; its path."""
        target = site.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return path.encode()

    def path(self, site: Site, name: str, scope: str | None = None) -> str:
        """`/` and what the server says stands below the prefix."""
        did = quote(f"{scope or self.scope}:{name}", safe="")
        [pfn] = self.ask("GET", f"/rses/{site.name}/lfns2pfns?lfn={did}&scheme=file").values()
        return "/" + pfn.partition(str(site.folder))[2].lstrip("/")

    def dids(self, names: Sequence[str], scope: str | None = None) -> list[dict[str, str]]:
        return [{"scope": scope or self.scope, "name": name} for name in names]

    def dataset(self, name: str, names: Sequence[str], scope: str | None = None) -> str:
        """A dataset of files that are there; its name."""
        self.ask("POST", f"/dids/{scope or self.scope}/{quote(name, safe='')}", {"type": "DATASET"})
        self.ask("POST", f"/dids/{scope or self.scope}/{quote(name, safe='')}/dids", {"dids": self.dids(names, scope)})
        return name

    def rule(self, name: str, site: Site, *, scope: str | None = None, **settings: Any) -> str:
        """The id of a rule for a file or dataset."""
        terms = {"copies": 1, "rse_expression": site.name, "account": "root", **settings}
        [rule] = self.ask("POST", "/rules/", {"dids": self.dids([name], scope), **terms})
        return str(rule)

    def distance(self, source: Site, destination: Site) -> None:
        """Transfers are only made between RSEs with a distance."""
        status, said = self.rest("POST", f"/rses/{source.name}/distances/{destination.name}", {"distance": 1})
        assert status in (201, 409), said  # on a busy machine Rucio tries a second time what it has just done

    def account(self, name: str, **attributes: str) -> str:
        """A new account, whose password is `secret`, with attributes such as admin="True"."""
        account = f"{name}{self.number}"
        self.ask("POST", f"/accounts/{account}", {"type": "SERVICE", "email": "a@example.org"})
        identity = {"identity": account, "authtype": "USERPASS", "email": "a@example.org", "password": "secret"}
        self.ask("POST", f"/accounts/{account}/identities", {**identity, "default": True})
        for key, value in attributes.items():
            self.ask("POST", f"/accounts/{account}/attr/{key}", {"key": key, "value": value})
        return account

    def states(self, site: Site) -> dict[str, str]:
        """Name → state letter of every replica at the site."""
        query = "SELECT name, state FROM replicas WHERE rse_id = (SELECT id FROM rses WHERE rse = :rse)"
        return {name: str(state) for name, state in self.sql(query, rse=site.name)}

    def rest_options(self, account: str = "root", **settings: Any) -> dict[str, Any]:
        """`rest` of our backend's entry, as it is written in backends.yaml."""
        password = self.folder / "password"
        password.write_text("secret\n")
        proof = {"auth": "userpass", "passwordFile": str(password)}
        username = "ddmlab" if account == "root" else account
        return {"url": self.server.url, "account": account, "username": username, **proof, **settings}

    def entry(self, **settings: Any) -> dict[str, Any]:
        """Our backend's entry, as it is written in backends.yaml."""
        return {"type": "rucio", "database": self.server.database, **settings}

    def backend(self, **settings: Any) -> Any:
        """Our backend on this catalogue; `settings` as they are written in backends.yaml."""
        from dynamo_consistency.backend.rucio import Options, open_backend

        return open_backend(Options.model_validate(self.entry(**settings), by_alias=True, by_name=False))
