"""Deletion of files and empty directories that Dynamo does not manage: PFNs in `unmanaged_deletions` (v2.2 and later).

Dynamo's daemon takes a row away before its one attempt, so that a row that is there has not been tried yet.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.schema import unmanaged_deletions
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.requests import other_claims, pfn
from dynamo_consistency.backend.dynamo.requests.insert import locked
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError, check_path, check_storable
from dynamo_consistency.backend.dynamo.sites import site_id


def request(databases: Databases, generation: Generation, site: str, files: Sequence[bytes]) -> dict[bytes, Outcome]:
    """One row for each of `files` (LFNs) that is not waiting already."""
    urls, outcomes = _urls(databases, generation, site, files)
    if urls:
        with locked(databases.inventory, unmanaged_deletions) as writer:
            table = unmanaged_deletions.c
            rows = writer.rows(select(table.site, table.url).where(table.site == site))
            waiting = {url for name, url in rows if name == site}
            writer.add({"site": site, "url": url} for url in urls.values() if url not in waiting)
        for path, url in urls.items():
            outcomes[path] = Outcome(path, "waiting" if url in waiting else "requested")
    return outcomes


def _urls(
    databases: Databases, generation: Generation, site: str, files: Iterable[bytes]
) -> tuple[Mapping[bytes, bytes], dict[bytes, Outcome]]:
    """(PFNs of the files that can be requested, outcomes of the others)."""
    urls: dict[bytes, bytes] = {}
    refused: dict[bytes, Outcome] = {}
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        of_all = pfn.read_rules(connection, generation)
        rules = own_rules(of_all, number)
        for path in files:
            try:
                urls[path] = _url(path, rules)
            except RefusedError as reason:
                refused[path] = Outcome(path, "refused", str(reason))
        for path, objection in other_claims.objections(connection, generation, of_all, number, urls).items():
            del urls[path]
            refused[path] = Outcome(path, "refused", objection)
    uses = Counter(urls.values())
    for path in [path for path, url in urls.items() if uses[url] > 1]:
        del urls[path]
        refused[path] = Outcome(path, "refused", "the site's rules give it and another file the same PFN")
    return urls, refused


def own_rules(rules: Iterable[pfn.SiteRules], site: int) -> pfn.PfnRules | RefusedError:
    """Those by which Dynamo deletes at the site, or why they cannot be understood."""
    own = (row for one in rules if (one.site, one.protocol) == (site, pfn.PROTOCOL) for row in one.rows)
    try:
        return pfn.PfnRules(own)
    except RefusedError as reason:
        return reason


def _url(path: bytes, rules: pfn.PfnRules | RefusedError) -> bytes:
    check_path(path)
    if isinstance(rules, RefusedError):
        raise rules
    url = rules.pfn(path)
    check_storable(url, "PFN")
    return url
