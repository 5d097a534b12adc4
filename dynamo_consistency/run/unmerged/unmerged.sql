-- What of the unmerged area is old enough to go: files, logs, and directories with nothing in or below them.
--
-- Given by findings.py:
--   listing                     path, kind, size, mtime, reason
--   known                       path: what the inventory has there, in either snapshot
--   inventory                   path, size: all of it, in either snapshot
--   site_file                   path, size, mtime: the files that the shards have listed below the roots
--   named                       path, kind, size, mtime, identity: what the storage gives one, here and below the roots
--   parent(text), last_name     macros (run/database.py)
--   protected, fixed            path: protected directories; directories that never go (areas, log directories)
--
-- One statement makes one table; the findings are `finding`.

-- A path that was listed several times is as young as its youngest entry, and of unknown age if one of them is.
CREATE TABLE entry AS
SELECT path, kind, any_value(size) AS size, CASE WHEN count(mtime) = count(*) THEN max(mtime) END AS mtime
FROM listing WHERE kind IN ('file', 'directory')
GROUP BY path, kind;

-- Here findings.py fills in what rules.py says, which the action asks as well: why an entry stays, or what it is that
-- may go.
CREATE TABLE ruled (path BLOB, kind VARCHAR, ruling VARCHAR);
-- continue

-- Rule 12: what the inventory has elsewhere, with this name and size, may be this file under another name, unless it was
-- listed with another time.
CREATE TABLE may_go AS
SELECT path, size, mtime, last_name(path::VARCHAR) AS name
FROM entry JOIN ruled USING (path, kind)
WHERE kind = 'file' AND ruling IN ('file', 'log');

CREATE TABLE claimed AS
SELECT path, nullif(greatest(size, -1), -1) AS size, last_name(path::VARCHAR) AS name
FROM inventory WHERE last_name(path::VARCHAR) IN (SELECT name FROM may_go);

CREATE TABLE seen AS
FROM (FROM site_file UNION ALL SELECT path, size, mtime FROM entry WHERE kind = 'file')
WHERE path IN (SELECT path FROM claimed);

CREATE TABLE twin AS
SELECT DISTINCT o.path
FROM may_go AS o JOIN claimed AS c USING (name) LEFT JOIN seen AS s ON s.path = c.path
WHERE CASE WHEN s.path IS NULL THEN coalesce(o.size = c.size, TRUE)
           ELSE coalesce(o.size = s.size, TRUE) AND o.mtime IS NOT DISTINCT FROM s.mtime END;

-- Of a file with several names nobody knows which one stays when another goes.
CREATE TABLE identified AS
SELECT path, size, mtime, identity FROM named WHERE kind = 'file' AND path IN (SELECT path FROM may_go);

CREATE TABLE judged AS
SELECT path, kind, size, mtime,
       CASE WHEN ruling IN ('file', 'log', 'directory') AND path IN (FROM known) THEN 'registered'
            WHEN kind = 'file' AND ruling IN ('file', 'log') AND path IN (FROM twin) THEN 'registered'
            WHEN kind = 'file' AND ruling IN ('file', 'log') AND path IN (FROM with_other_names('identified')) THEN 'hole'
            ELSE ruling END AS verdict
FROM entry JOIN ruled USING (path, kind);

-- Directories that stay because of something in or below them, and everything above them. As text, in which DuckDB can
-- cut a path at a slash: bytes outside printable ASCII become \xNN, which is reversible.
CREATE TABLE kept AS
WITH RECURSIVE above AS (
  SELECT DISTINCT text FROM (
    SELECT parent(path::VARCHAR) AS text FROM listing WHERE kind <> 'directory'
    UNION ALL SELECT parent(path::VARCHAR) FROM known
    UNION ALL SELECT parent(path::VARCHAR) FROM protected
    UNION ALL SELECT path::VARCHAR FROM listing WHERE kind <> 'directory'
    UNION ALL SELECT path::VARCHAR FROM hole_entry
    UNION ALL SELECT path::VARCHAR FROM judged WHERE kind = 'directory' AND verdict <> 'directory'
    UNION ALL SELECT path::VARCHAR FROM fixed
  )
  UNION
  SELECT parent(text) FROM above WHERE text <> ''
)
SELECT text FROM above;

CREATE TABLE finding AS
SELECT path, CASE WHEN kind = 'file' THEN size END AS site_size, mtime, verdict AS type
FROM judged
WHERE verdict IN ('file', 'log') OR (verdict = 'directory' AND path::VARCHAR NOT IN (FROM kept));
