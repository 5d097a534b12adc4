-- What is missing, orphaned, different or empty: the eleven rules, from two snapshots of the inventory and one listing.
--
-- The problem: three lists of some 10^7 paths must be compared in about 1 GiB of memory, and nearly all of them agree.
-- Nothing but a hole or a directory may let the verdict on one path depend on another path. So one pass over hashes
-- sorts out what agrees; only the rest, usually few, is joined by path and judged in full.
--
-- Why SQL: DuckDB does the joins, spills to disk when memory is short, and shows each rule as one table that can be
-- looked at. Rejected ways:
--   a merge of sorted lists      loses rows without a word when one side is sorted in another way
--   a full outer join by path    holds every path of both sides in memory, for the sake of a few
--   "below a hole" by a prefix   LIKE and starts_with are a nested loop, and wrong at the end of a component; an ASOF
--                                join with disjoint intervals takes one pass
--   empty directories downwards  looks at every tree below every directory; marking upwards, from what keeps a
--                                directory, takes one step for each level
--   Python functions in SQL      need numpy, and one call a row; Python is asked once, about the paths that matter
--   one snapshot                 calls what was written or deleted during the listing an orphan or missing
--
-- Given by comparison.py:
--   inventory_before, inventory_after  path, size, time, in_flight, dataset, … (backend/contract/data.py)
--   listing                            shard, path, kind, size, mtime, reason
--   hole_entry                         the same columns: what of it is a hole (run/listing/holes.py)
--   shard                              shard, listed_at
--   root, excluded                     path
--   root_of(path)                      macro: the root that `path` is below, or NULL
--   takes_part(path)                   macro: below a root and not in or below an excluded directory (rule 11)
--   variables ignore_age, taken_before (seconds), deletion_requests (datasets)
--
-- Paths are bytes (BLOB) and compared as bytes (rule 1; the stages that wrote them have normalised them). What is below
-- a directory d is the interval from d/ up to, not including, d0, because 0 follows / in ASCII.
-- One statement makes one table; the findings are missing, orphan, mismatch and empty_directory.

CREATE MACRO parent(text) AS left(text, length(text) - strpos(reverse(text), '/'));

-- ---------------------------------------------------------------------------------------------------- both sides

-- Rules 2 and 3: in flight in the inventory, young at the site. An entry is as young as it was when the listing began,
-- and a file of unknown age has been there at least since it was listed.
CREATE VIEW entry AS
SELECT path, 0 AS side, size,
       in_flight OR coalesce(time + getvariable('ignore_age') >= (SELECT min(listed_at) FROM shard), FALSE) AS unsettled
FROM inventory_before WHERE takes_part(path)
UNION ALL
SELECT path, 1, size,
       in_flight OR coalesce(time + getvariable('ignore_age') >= (SELECT min(listed_at) FROM shard), FALSE)
FROM inventory_after WHERE takes_part(path)
UNION ALL
SELECT path, 2, CASE WHEN mtime IS NOT NULL THEN size END,  -- of unknown age: it may have been half written (rule 7)
       coalesce(mtime + getvariable('ignore_age') >= listed_at,
                listed_at + getvariable('ignore_age') >= getvariable('taken_before'))
FROM listing JOIN shard USING (shard) WHERE kind = 'file' AND takes_part(path);

-- Nearly all files are where they should be, and need no more than a look at the hash of their path: once in each
-- snapshot, once at the site, one size, settled. Two paths with one hash do not look so, and are looked at in full.
CREATE TABLE doubtful AS
SELECT hash(path) AS key
FROM entry
GROUP BY key
HAVING NOT (count(*) = 3 AND sum(side) = 3 AND bit_or(1 << side) = 7
            AND count(size) = 3 AND min(size) = max(size) AND NOT bool_or(unsettled));

-- Rule 10: whatever appears several times on a side is one file, with the sizes that it has there.
CREATE TABLE file AS
SELECT path,
       count(*) FILTER (side = 0) AS before, count(*) FILTER (side = 1) AS after, count(*) FILTER (side = 2) AS at_site,
       coalesce(bool_or(unsettled) FILTER (side < 2), FALSE) AS in_flight,
       coalesce(bool_or(unsettled) FILTER (side = 2), FALSE) AS young,
       CASE WHEN min(coalesce(size, -1)) FILTER (side < 2) = max(size) FILTER (side < 2)
            THEN nullif(greatest(max(size) FILTER (side < 2), -1), -1) END AS size,
       CASE WHEN min(coalesce(size, -1)) FILTER (side = 2) = max(size) FILTER (side = 2)
            THEN nullif(greatest(max(size) FILTER (side = 2), -1), -1) END AS site_size
FROM entry WHERE hash(path) IN (SELECT key FROM doubtful)
GROUP BY path;

-- -------------------------------------------------------------------------------------------------------- holes

-- Rule 4.
CREATE TABLE hole AS SELECT DISTINCT shard, path, reason FROM hole_entry;

-- The intervals of outermost holes, for each shard and for all (shard -1): disjoint, so that a path can only be in the
-- last one that begins before it.
CREATE TABLE unknown AS
WITH interval AS (
  SELECT shard, path || '\x2F'::BLOB AS first, path || '\x30'::BLOB AS past FROM hole
  UNION
  SELECT -1, path || '\x2F'::BLOB, path || '\x30'::BLOB FROM hole
)
SELECT * FROM interval
QUALIFY coalesce(first >= max(past) OVER (PARTITION BY shard ORDER BY first
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), TRUE);

-- ------------------------------------------------------------------------------------------------- asked of Python

-- Here comparison.py fills four tables with those paths for which it matters (`filters.py`):
--   unlisted          only a shard that has failed would have listed them
--   ignored           a pattern of the check matches
--   protected         of a dataset that is protected, or about to be deleted, as the backend's DatasetFilter says
--   deletion_pending  of a dataset that is about to be deleted, as it says
CREATE TABLE unlisted (path BLOB);
CREATE TABLE ignored (path BLOB);
CREATE TABLE protected (path BLOB);
CREATE TABLE deletion_pending (path BLOB);
-- continue

CREATE VIEW expected_where_listed AS
SELECT f.path
FROM (FROM file WHERE before + after > 0 AND NOT in_flight) AS f
ASOF LEFT JOIN (FROM unknown WHERE shard = -1) AS h ON f.path || '\x2F'::BLOB >= h.first
WHERE coalesce(f.path || '\x2F'::BLOB >= h.past, TRUE) AND f.path NOT IN (FROM unlisted);

-- ------------------------------------------------------------------------------------------------------- missing

-- What the inventory says of the doubtful files; a pending deletion counts wherever one of its entries shows it.
CREATE TABLE known AS
SELECT path, bool_or(dataset IN (SELECT unnest(getvariable('deletion_requests')))) AS deletion_pending,
       bool_or(dataset IS NOT NULL) AS has_dataset
FROM (SELECT path, dataset FROM inventory_before UNION ALL SELECT path, dataset FROM inventory_after)
WHERE path IN (SELECT path FROM file WHERE before > 0 AND after > 0 AND NOT in_flight)
GROUP BY path;

-- Rule 5, and what rules 2 to 4 except from it.
CREATE TABLE missing_verdict AS
SELECT f.path,
       CASE WHEN f.path || '\x2F'::BLOB < h.past THEN 'hole'
            WHEN f.path IN (FROM unlisted) THEN 'hole'
            WHEN coalesce(k.deletion_pending, FALSE) THEN 'deletion'
            WHEN NOT k.has_dataset AND f.path IN (FROM deletion_pending) THEN 'deletion'
            ELSE 'missing' END AS verdict
FROM (FROM file WHERE before > 0 AND after > 0 AND at_site = 0 AND NOT in_flight) AS f
JOIN known AS k USING (path)
ASOF LEFT JOIN (FROM unknown WHERE shard = -1) AS h ON f.path || '\x2F'::BLOB >= h.first;

-- A root, or a directory directly below one, that answered "empty" where files are missing: servers do that.
CREATE TABLE empty_top_directory AS
SELECT DISTINCT path FROM listing AS d
WHERE kind = 'directory' AND size = 0
  AND (path IN (SELECT path FROM root) OR parent(path::VARCHAR) IN (SELECT path::VARCHAR FROM root))
  AND EXISTS (FROM missing_verdict AS m
              WHERE verdict = 'missing' AND m.path >= d.path || '\x2F'::BLOB AND m.path < d.path || '\x30'::BLOB);

-- ------------------------------------------------------------------------------------------------------ mismatch

-- Rule 7; sizes that are unknown, or on which a side does not agree with itself, prove nothing.
CREATE TABLE mismatch_verdict AS
SELECT path, site_size, 'mismatch' AS verdict
FROM file
WHERE before > 0 AND after > 0 AND at_site > 0 AND NOT in_flight AND NOT young AND size <> site_size;

-- -------------------------------------------------------------------------------------------------------- orphan

-- Rules 6 and 8. A file below a hole of its own shard comes from an incomplete answer, unless another shard saw it.
CREATE TABLE orphan_verdict AS
SELECT path, any_value(size) AS site_size, min(mtime) AS mtime, any_value(verdict) AS verdict
FROM (
  SELECT l.path, l.size, l.mtime,
         CASE WHEN f.young THEN 'young'
              WHEN bool_and(coalesce(l.path || '\x2F'::BLOB < h.past, FALSE)) OVER (PARTITION BY l.path) THEN 'hole'
              WHEN l.path IN (FROM ignored) THEN 'ignored'
              WHEN l.path IN (FROM protected) THEN 'protected'
              ELSE 'orphan' END AS verdict
  FROM (FROM listing WHERE kind = 'file' AND path IN (SELECT path FROM file WHERE before + after = 0)) AS l
  JOIN file AS f USING (path)
  ASOF LEFT JOIN unknown AS h ON l.shard = h.shard AND l.path || '\x2F'::BLOB >= h.first
)
GROUP BY path;

-- ----------------------------------------------------------------------------------------------- empty directories

-- Rule 9. As text, in which DuckDB can cut a path at a slash: bytes outside printable ASCII become \xNN, which is
-- reversible, and changes neither slashes nor what is below what.
CREATE TABLE directory AS
SELECT path, path::VARCHAR AS text,
       bool_or(coalesce(mtime + getvariable('ignore_age') >= listed_at, TRUE)) AS young
FROM listing JOIN shard USING (shard)
WHERE kind = 'directory' AND takes_part(path)
GROUP BY path;

-- What keeps a directory, and everything above it.
CREATE TABLE kept AS
WITH RECURSIVE above AS (
  SELECT DISTINCT text FROM (
    SELECT parent(path::VARCHAR) AS text FROM listing WHERE kind = 'file'
    UNION ALL SELECT parent(path::VARCHAR) FROM inventory_before
    UNION ALL SELECT parent(path::VARCHAR) FROM inventory_after
    UNION ALL SELECT path::VARCHAR FROM hole
    UNION ALL SELECT path::VARCHAR FROM excluded
    UNION ALL SELECT text FROM directory WHERE young OR path IN (FROM ignored)
  ) WHERE EXISTS (FROM directory)
  UNION
  SELECT parent(text) FROM above WHERE text <> ''
)
SELECT text FROM above;

CREATE TABLE empty_directory_verdict AS
SELECT path FROM directory
WHERE text NOT IN (FROM kept)
  AND path NOT IN (SELECT path FROM listing WHERE kind = 'file')
  AND path NOT IN (SELECT path FROM inventory_before) AND path NOT IN (SELECT path FROM inventory_after);
