-- What of the unmerged area is old enough to go: files, logs, and directories with nothing in or below them.
--
-- Given by findings.py:
--   listing                     path, kind, size, mtime, reason
--   known                       path: what the inventory has there, in either snapshot
--   parent(text)                macro (run/database.py)
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

CREATE TABLE judged AS
SELECT path, kind, size, mtime,
       CASE WHEN ruling IN ('file', 'log', 'directory') AND path IN (FROM known) THEN 'registered'
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
