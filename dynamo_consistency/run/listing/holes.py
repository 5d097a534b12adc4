"""Rules 4 and 12 as SQL: what of a listing is a hole. Whoever asks a listing for its holes asks this view."""

HOLE_ENTRIES = """
    CREATE VIEW named AS
    FROM (SELECT path, kind, size, mtime, identity FROM listing UNION ALL FROM listed_elsewhere)
    WHERE identity IS NOT NULL;

    -- Nobody knows which of the names of one identity is the true one: all are holes. Of names in names, the outermost.
    CREATE TABLE alias AS
    WITH several AS (
      SELECT identity, min(path) AS one, max(path) AS other FROM named WHERE kind IN ('directory', 'excluded')
      GROUP BY identity HAVING min(path) <> max(path)
    )
    SELECT path, CASE WHEN path = one THEN other ELSE one END AS other
    FROM (SELECT DISTINCT path, identity FROM listing WHERE kind = 'directory') JOIN several USING (identity)
    QUALIFY coalesce(first_below(path) >= max(past_below(path)) OVER (
      ORDER BY first_below(path), identity ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), TRUE);

    CREATE VIEW hole_entry AS
    SELECT shard, path, coalesce(reason, 'no reason given') AS reason FROM listing WHERE kind = 'hole'
    UNION ALL
    SELECT shard, path, 'no shard has listed it' FROM listing AS left_to_another
    WHERE kind = 'seen'
      AND NOT EXISTS (FROM listing AS l WHERE l.kind IN ('directory', 'hole') AND l.path = left_to_another.path)
    UNION ALL
    SELECT NULL, path, 'the same directory as ' || other::VARCHAR || ': what is in it has two names' FROM alias;
"""
"""Makes the view `hole_entry` (shard, path, reason) over a view `listing`; a path may be in it several times.

A hole is a directory that could not be listed, one that a shard left to another and that none has listed, and one that
has several names, whoever met them, or is an excluded one by another name: that one is a hole of every shard (NULL).
`listed_elsewhere` (path, kind, size, mtime, identity) is what other listings of the site met; `named` is what the
storage gives an identity, anywhere. Needs `database.PATH_MACROS`.
"""

OTHER_NAMES = """
    CREATE MACRO with_other_names(asked) AS TABLE
    WITH own AS (SELECT path, size, mtime, identity FROM query_table(asked)),
    shared AS (
      SELECT identity FROM named WHERE kind IN ('file', 'hole') AND identity IN (SELECT identity FROM own)
      GROUP BY identity HAVING count(*) > 1
    )
    SELECT DISTINCT own.path
    FROM own JOIN (FROM named WHERE identity IN (FROM shared)) AS n USING (identity)
    WHERE n.kind IN ('file', 'hole') AND own.path <> n.path
      AND coalesce(own.size = n.size, TRUE) AND coalesce(own.mtime = n.mtime, TRUE);
"""
"""`with_other_names('table')`: the paths in a table (path, size, mtime, identity) of files that have another name in
`named`, or to which a link leads. Servers behind one door may number alike, so size and time must not differ.
"""
