"""PFNs: where a file is at a site, by the rules of the site that Dynamo itself deletes and transfers with.

A rule turns what a regular expression has captured into other text. Rules form chains, in which each works on the
result of the one before; the first chain of which every rule matches gives the PFN.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from string import Formatter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from dynamo_consistency.backend.dynamo.database import version_tables
from dynamo_consistency.backend.dynamo.database.schema import filename_mappings
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError

PROTOCOL = "gfal2"
"""The protocol of all of Dynamo's file operations."""

PfnRuleRow = tuple[int, int, bytes, bytes]
"""Chain, index in it, pattern, format."""

RulePart = tuple[bytes, int | None]
"""A text in a format, and the number of the group that follows it, from 0."""


class PfnRule:
    """One link of a chain. Raises RefusedError for a pattern or a format that cannot be understood."""

    def __init__(self, pattern: bytes, form: bytes) -> None:
        self.pattern = pattern
        self.shown = f"{pattern.decode('latin-1')!r} -> {form.decode('latin-1')!r}"
        try:
            self._match = re.compile(pattern).match
            parts = list(Formatter().parse(form.decode("latin-1")))
        except (re.error, RecursionError, OverflowError, ValueError) as error:
            raise self._refused(f"cannot be read ({error})") from None
        self.parts: list[RulePart] = []
        for literal, field, spec, conversion in parts:
            if field is not None and (not re.fullmatch("[0-9]{1,2}", field) or spec or conversion):
                raise self._refused(f"has a placeholder other than a number, {{{field}}}")
            self.parts.append((literal.encode("latin-1"), None if field is None else int(field)))
        self.parts = self.parts or [(b"", None)]

    def apply(self, text: bytes) -> bytes | None:
        """The text that the rule makes of `text`; None when it does not match."""
        match = self._match(text)
        if match is None:
            return None
        if match.end() != len(text):
            raise self._refused("drops the end of the name")
        made = b""
        for literal, group in self.parts:
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
        self.chains = [chain_of(list(links)) for _, links in groupby(sorted(rows), key=lambda row: row[0])]

    def pfn(self, lfn: bytes) -> bytes:
        """The PFN of `lfn`. Raises RefusedError when there is none."""
        pfn = next((pfn for chain in self.chains if (pfn := through(chain, lfn)) is not None), None)
        if pfn is None:
            raise RefusedError(f"no {PROTOCOL} mapping of the site in filename_mappings gives it a PFN")
        return pfn


def chain_of(rows: Sequence[PfnRuleRow]) -> list[PfnRule]:
    """The rules of one chain, in their order. Raises RefusedError for rules that cannot be understood."""
    if len({index for _, index, _, _ in rows}) != len(rows):
        raise RefusedError(f"chain {rows[0][0]} of the site's rules in filename_mappings has one index twice")
    return [PfnRule(pattern, form) for _, _, pattern, form in sorted(rows)]


def through(chain: Iterable[PfnRule], text: bytes) -> bytes | None:
    """What the rules make of `text`, one after the other; None when one does not match."""
    for rule in chain:
        made = rule.apply(text)
        if made is None:
            return None
        text = made
    return text


class SiteRules(NamedTuple):
    """The rules of a site for one protocol."""

    site: int
    protocol: str
    rows: list[PfnRuleRow]


def read_rules(connection: Connection, generation: Generation) -> list[SiteRules]:
    """The rules of all sites, for all protocols."""
    rows = sorted(tuple(row) for row in connection.execute(_innodb() if generation.protocol_table else _master()))
    return [
        SiteRules(site, protocol, [row[2:] for row in some])
        for (site, protocol), some in groupby(rows, key=lambda row: row[:2])
    ]


def _master() -> Select[Any]:
    table = filename_mappings.c
    return select(table.site_id, table.protocol, table.chain_id, table.index, table.lfn_pattern, table.pfn_pattern)


def _innodb() -> Select[Any]:
    table, protocols = version_tables.filename_mappings.c, version_tables.transfer_protocols
    return select(
        table.site_id, protocols.c.protocol, table.chain_id, table.index, table.lfn_pattern, table.pfn_pattern
    ).join(protocols, protocols.c.id == table.protocol_id)
