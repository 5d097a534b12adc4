"""Directories that a listing in lines cannot show, because the inventory has names with line ends in them.

The problem: an XRootD server answers a name and a line of facts in turn, and so do most dumps. A name that begins or
ends with a line end arrives as the name without it, and nothing in a dump, or in what the XRootD library makes of an
answer, tells the two apart. The file that the inventory has would be missing, and the name that arrived an orphan.

Rejected ways:
* a stat of each name that is listed: as many requests as the site has files;
* a listing of bare names, or its length: the library drops empty lines there, too;
* only what our own XRootD client sees, an empty line: other names with line ends in them can look like whole lines.
"""

import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.columns import joined
from dynamo_consistency.run.store.run_directory import RunDirectory

INVENTORY, FACTS = "inventory/before.parquet", "inventory/before.json"
REASON = "the inventory has a name with a line end in it, which this kind of listing cannot show"


def directories_with_line_ends(run: RunDirectory) -> frozenset[bytes]:
    """The directories (LFNs) in which the run's inventory has a name with a line end; none before its snapshot."""
    if not run.exists(INVENTORY):
        return frozenset()
    facts = run.read_json(FACTS) if run.exists(FACTS) else {}
    found = _known_parents(run) if facts.get("anyLineEnds", True) else set()
    for name in facts.get("lineEnds", []):  # at no known place, and so not in the snapshot itself
        found |= _parents(paths.normalise(paths.to_bytes(name)))
    return frozenset(found)


def _known_parents(run: RunDirectory) -> set[bytes]:
    found: set[bytes] = set()
    with run.reading(INVENTORY) as path, pq.ParquetFile(path) as snapshot:
        for batch in snapshot.iter_batches(columns=["path"]):
            column = batch.column("path")
            if b"\n" in joined(column):  # of all names at once, since hardly any has one
                found |= set().union(*(_parents(file) for file in column.to_pylist() if b"\n" in file))
    return found


def _parents(path: bytes) -> set[bytes]:
    names = path.split(b"/")
    return {b"/".join(names[:depth]) or b"/" for depth, name in enumerate(names) if b"\n" in name}
