"""Rule 4 as SQL: what of a listing is a hole. Whoever asks a listing for its holes asks this view."""

HOLE_ENTRIES = """
    CREATE VIEW hole_entry AS
    SELECT * REPLACE (coalesce(reason, 'no reason given') AS reason) FROM listing WHERE kind = 'hole'
    UNION ALL
    SELECT * REPLACE ('no shard has listed it' AS reason) FROM listing AS left_to_another
    WHERE kind = 'seen'
      AND NOT EXISTS (FROM listing AS l WHERE l.kind IN ('directory', 'hole') AND l.path = left_to_another.path)
"""
"""Makes the view `hole_entry` over a view `listing`, with its columns; a path may be in it several times.

A hole is a directory that could not be listed, and one that a shard left to another and that none has listed.
"""
