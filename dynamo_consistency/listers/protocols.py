"""The table of protocols: one row for each way to list a site.

A row says which key of a check's `listing.source` it belongs to, what lists there, and what else the protocol can do.
Whatever differs between protocols is asked of a row and nowhere else.
"""

import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from dynamo_consistency.check import Listing, PosixSource, Source, WebDavSource, XRootDSource
from dynamo_consistency.check.rules import path_rules
from dynamo_consistency.errors import BackendError, ListingError
from dynamo_consistency.listers.contract import Lister, ListerFactory
from dynamo_consistency.listers.look import FileLook, Remover
from dynamo_consistency.listers.threaded import ThreadedLister, in_time
from dynamo_consistency.path_rules import PathRules

POSIX_THREADS = 8


class OpenSource(NamedTuple):
    """A lister, what it lists in a few words, and what else its protocol can.

    `remove_directory` removes empty directories, `look` asks for a single file; the lister's `prepare` must have been
    called before.
    """

    lister: Lister
    description: str
    remove_directory: Remover | None = None
    look: FileLook | None = None


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One way to list a site.

    `key`: its name in `listing.source`; the model of its value is in `check/source.py`.
    `lister`: module and name of what lists, imported only when it is used; `arguments` are its positional arguments,
    and `location` is in a few words where it lists, both from that model.
    `threads`: for a lister with `answer(directory)`, how many ask at a time; None for one that has `submit` itself and
    takes `concurrency` (requests) and `timeout` (seconds).
    `directories`: whether it is asked directory by directory; a dump is read as a whole.
    `processes`: whether several processes list faster than one. True where answers come faster than one reads them.
    `removes`: whether it has `remove_directory`, which removes an empty directory and refuses any other.
    `looks`: whether it has `look`, a `look.FileLook`.
    `install`: how what it needs beyond a plain installation is installed.
    """

    key: str
    lister: str
    arguments: Callable[[Any], tuple[Any, ...]]
    location: Callable[[Any], str]
    threads: int | None = None
    directories: bool = True
    processes: bool = False
    removes: bool = False
    looks: bool = False
    install: str = ""

    def constructor(self) -> ListerFactory:
        """What builds the lister."""
        factory: ListerFactory = pkgutil.resolve_name(self.lister)
        return factory

    def open(self, model: Any, listing: Listing) -> OpenSource:
        """The lister that `listing` asks for. Raises ListingError or ConfigurationError, as its constructor does."""
        many = {"concurrency": listing.concurrency, "timeout": listing.directory_timeout_seconds}
        built = self.constructor()(*self.arguments(model), **(many if self.threads is None else {}))
        remover, look = built.remove_directory if self.removes else None, built.look if self.looks else None
        if self.threads is None:
            return OpenSource(built, f"{self.key} {self.location(model)}", remover, look)
        lister = ThreadedLister([lambda: built.answer] * min(self.threads, listing.concurrency))
        if look is not None:
            look = in_time(look, listing.directory_timeout_seconds)
        return OpenSource(lister, f"{self.key} {self.location(model)}", remover, look)


def _rules(source: XRootDSource | WebDavSource | PosixSource) -> tuple[PathRules, ...]:
    return (path_rules(source.rules),) if source.rules else ()


def _xrootd(source: XRootDSource) -> tuple[Any, ...]:
    rules: tuple[Any, ...] = _rules(source)
    if source.client != "wire":
        rules = (*(rules or (None,)), source.client)
    return (tuple(source.servers), source.prefix, *rules)


PROTOCOLS = (
    Protocol(
        key="xrootd",
        lister="dynamo_consistency.listers.xrootd:XRootDLister",
        arguments=_xrootd,
        location=lambda source: " ".join(source.servers),
        processes=True,
        removes=True,
        looks=True,
    ),
    Protocol(
        key="posix",
        lister="dynamo_consistency.listers.posix:PosixLister",
        arguments=lambda source: (source.prefix, *_rules(source)),
        location=lambda source: source.prefix,
        threads=POSIX_THREADS,
        removes=True,
        looks=True,
    ),
    Protocol(
        key="dump",
        lister="dynamo_consistency.listers.dump:DumpLister",
        arguments=lambda source: (source,),
        location=lambda source: " ".join(source.urls),
        directories=False,
    ),
    Protocol(
        key="webdav",
        lister="dynamo_consistency.listers.webdav:WebDavLister",
        arguments=lambda source: (tuple(source.servers), source.prefix, *_rules(source)),
        location=lambda source: " ".join(source.servers),
        processes=True,
        looks=True,
    ),
    Protocol(
        key="s3",
        lister="dynamo_consistency.listers.s3:S3Lister",
        arguments=lambda source: (source.url, source.endpoint),
        location=lambda source: source.url,
        processes=True,
        looks=True,
        install="pip install 'dynamo-consistency[s3]'",
    ),
    Protocol(
        key="gfal",
        lister="dynamo_consistency.listers.gfal:GfalLister",
        arguments=lambda source: (source.url,),
        location=lambda source: source.url,
        removes=True,
        looks=True,
        install="apt-get install python3-gfal2 and a gfal2-plugin-… for the protocol",
    ),
)


def install_hint(key: str) -> str:
    """How to install what the protocol `key` needs beyond a plain installation; empty where it needs nothing."""
    return next(row.install for row in PROTOCOLS if row.key == key)


def protocol_of(source: Source | None) -> Protocol | None:
    """The row of what `source` names; None where it names nothing."""
    return next((row for row in PROTOCOLS if getattr(source, row.key, None) is not None), None)


def processes_for(listing: Listing) -> int | None:
    """How many processes list the site best on this machine; None for this process, which has the lister open.

    A file system is kept busy by one process, and so is a dump. Never more than the check lets list at a time.
    """
    row = protocol_of(listing.source)
    if row is None or not row.processes:
        return None
    return min(listing.shards, listing.parallelism, _processors())


def open_source(site: str, source: Source, listing: Listing) -> OpenSource | None:
    """What `source` names, opened; None where it names nothing.

    Raises ListingError for a dump: it is read as a whole, and nothing can be looked at in it again.
    """
    row = protocol_of(source)
    if row is None:
        return None
    if not row.directories:
        raise ListingError(f"{site} is listed from a {row.key}, and nothing can be looked at in that again")
    return row.open(getattr(source, row.key), listing)


def listers_of(site: str, source: Source | None) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
    """`get_listers` of a backend whose entry says what lists a site in the words of a check's `listing.source`.

    (constructor, argument tuples), for a prompt or a script: the engine takes `source` itself.
    Raises BackendError when there is no source.
    """
    row = protocol_of(source)
    if row is None:
        raise BackendError(
            f"nothing says how {site} is listed; name it in the backend's entry in backends.yaml, in the words of "
            "listing.source, or give the check a listing.source"
        )
    return row.constructor(), [row.arguments(getattr(source, row.key))]


def _processors() -> int:
    """Those that this process may use, or all where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
