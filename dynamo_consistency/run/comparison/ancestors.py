"""Rule 15: which of the listed files are directories, because something else that was listed lies in them.

The problem: a dump says nothing of directories, and what lies in a file can be any of its 10^7 paths. Few of them,
mostly none, hold the ending of such a file and a slash behind it; so only these are cut at their slashes.
"""

import duckdb
import pyarrow as pa

from dynamo_consistency.columns import directories_above
from dynamo_consistency.run.database import beside

_BATCH_ROWS = 200_000
_ENDING, _MOST_ENDINGS = 4, 10
# Nearly all names are text. What is in a directory whose name is none is not text either, and looked at as well.
_ENDINGS = f"""
    SELECT DISTINCT right(try(decode(path)), {_ENDING}) || '/' FROM perhaps_directory LIMIT {_MOST_ENDINGS + 1}
"""
_HOLDS_AN_ENDING = "coalesce(contains(try(decode(path)), ?), TRUE)"
_LISTED = """
    SELECT path FROM listing WHERE kind <> 'file'
    UNION ALL
    SELECT path FROM listing WHERE kind = 'file' AND shard IN (FROM not_counted) AND ({holds_an_ending})
"""


def find_listed_as_file(database: duckdb.DuckDBPyConnection) -> None:
    """Add to the table `listed_as_file` what of `perhaps_directory` is above something that was listed.

    Where directories have counted their files, these are what the files lie in; else the files themselves are asked.
    """
    endings = [ending for (ending,) in database.execute(_ENDINGS).fetchall()]
    if not endings:
        return
    few = endings if len(endings) <= _MOST_ENDINGS else []
    listed = _LISTED.format(holds_an_ending=" OR ".join([_HOLDS_AN_ENDING] * len(few)) or "TRUE")
    for batch in beside(database).sql(listed, params=few).to_arrow_reader(_BATCH_ROWS):
        database.register(
            "above", pa.table({"path": pa.chunked_array(directories_above(batch.column("path")), pa.binary())})
        )
        database.execute("INSERT INTO listed_as_file SELECT path FROM above WHERE path IN (FROM perhaps_directory)")
        database.unregister("above")
