"""PFNs: where a file is at a site, by the rules of the site that Dynamo itself deletes and transfers with.

A rule turns what a regular expression has captured into other text. Rules form chains, in which each works on the
result of the one before; the first chain of which every rule matches gives the PFN.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from string import Formatter
from typing import Any

from sqlalchemy import Connection, Select, select

from dynamo_consistency.backend.dynamo.database import version_tables
from dynamo_consistency.backend.dynamo.database.schema import filename_mappings
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError

PROTOCOL = "gfal2"
"""The protocol of all of Dynamo's file operations."""

PfnRuleRow = tuple[int, int, bytes, bytes]
"""Chain, index in it, pattern, format."""


class PfnRule:
    """One link of a chain. Raises RefusedError for a pattern or a format that cannot be understood."""

    def __init__(self, pattern: bytes, form: bytes) -> None:
        self.shown = f"{pattern.decode('latin-1')!r} -> {form.decode('latin-1')!r}"
        try:
            self._match = re.compile(pattern).match
            parts = list(Formatter().parse(form.decode("latin-1")))
        except (re.error, RecursionError, OverflowError, ValueError) as error:
            raise self._refused(f"cannot be read ({error})") from None
        self._parts: list[tuple[bytes, int | None]] = []
        for literal, field, spec, conversion in parts:
            if field is not None and (not re.fullmatch("[0-9]{1,2}", field) or spec or conversion):
                raise self._refused(f"has a placeholder other than a number, {{{field}}}")
            self._parts.append((literal.encode("latin-1"), None if field is None else int(field)))

    def apply(self, text: bytes) -> bytes | None:
        """The text that the rule makes of `text`; None when it does not match."""
        match = self._match(text)
        if match is None:
            return None
        if match.end() != len(text):
            raise self._refused("drops the end of the name")
        made = b""
        for literal, group in self._parts:
            made += literal + (b"" if group is None else self._group(match, group))
        return made

    def _group(self, match: re.Match[bytes], number: int) -> bytes:
        groups = match.groups()
        if number >= len(groups):
            raise self._refused(f"has no group for {{{number}}}")
        if groups[number] is None:
            raise self._refused(f"leaves {{{number}}} empty for this name")
        return bytes(groups[number])

    def _refused(self, what: str) -> RefusedError:
        return RefusedError(f"the {PROTOCOL} rule {self.shown} of the site {what}; correct it in filename_mappings")


class PfnRules:
    """The rules of a site. Raises RefusedError for rules that cannot be understood."""

    def __init__(self, rows: Iterable[PfnRuleRow]) -> None:
        self._chains: list[list[PfnRule]] = []
        for chain, links in groupby(sorted(rows), key=lambda row: row[0]):
            ordered = list(links)
            if len({index for _, index, _, _ in ordered}) != len(ordered):
                raise RefusedError(f"chain {chain} of the site's rules in filename_mappings has one index twice")
            self._chains.append([PfnRule(pattern, form) for _, _, pattern, form in ordered])

    def pfn(self, lfn: bytes) -> bytes:
        """The PFN of `lfn`. Raises RefusedError when there is none, or when other files might have the same."""
        pfn = self._first(lfn)
        if pfn is None:
            raise RefusedError(f"no {PROTOCOL} mapping of the site in filename_mappings gives it a PFN")
        if any(self._first(other) == pfn for other in _neighbours(lfn, pfn)):
            raise RefusedError(
                f"the {PROTOCOL} mapping of the site gives other files the same PFN, {pfn.decode('latin-1')!r}"
            )
        return pfn

    def _first(self, lfn: bytes) -> bytes | None:
        return next((pfn for chain in self._chains if (pfn := _through(chain, lfn)) is not None), None)


def _through(chain: Iterable[PfnRule], text: bytes) -> bytes | None:
    for rule in chain:
        made = rule.apply(text)
        if made is None:
            return None
        text = made
    return text


def _neighbours(lfn: bytes, pfn: bytes) -> Iterator[bytes]:
    """Names that differ from `lfn` in one character which is not simply handed on at the end of `pfn`.

    If one of them has the same PFN, the rule drops what distinguishes files.
    """
    end = len(lfn)
    while end > 0 and lfn[end - 1 :] == pfn[end - 1 - len(lfn) :]:
        end -= 1
    for position in range(end):
        here = lfn[position : position + 1]
        for other in {b"0", b"7", b"q", b"Q", here.swapcase()} - {here}:
            if here != b"/":
                yield lfn[:position] + other + lfn[position + 1 :]


def read_rules(connection: Connection, generation: Generation, site: int) -> PfnRules:
    """Raises RefusedError for rules that cannot be understood."""
    query = _innodb(site) if generation.protocol_table else _master(site)
    return PfnRules((chain, index, pattern, form) for chain, index, pattern, form in connection.execute(query))


def _master(site: int) -> Select[Any]:
    table = filename_mappings.c
    return select(table.chain_id, table.index, table.lfn_pattern, table.pfn_pattern).where(
        table.site_id == site, table.protocol == PROTOCOL
    )


def _innodb(site: int) -> Select[Any]:
    table, protocols = version_tables.filename_mappings.c, version_tables.transfer_protocols
    return (
        select(table.chain_id, table.index, table.lfn_pattern, table.pfn_pattern)
        .join(protocols, protocols.c.id == table.protocol_id)
        .where(table.site_id == site, protocols.c.protocol == PROTOCOL)
    )
