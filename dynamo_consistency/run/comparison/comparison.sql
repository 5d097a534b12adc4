-- What is missing, orphaned, different or empty: the rules 1 to 15, from two snapshots of the inventory and one listing.
--
-- The problem: three lists of some 10^7 paths must be compared in about 1 GiB of memory, and nearly all of them agree.
-- Nothing but a hole or a directory may let the verdict on one path depend on another path. So two passes over keys and
-- sizes sort out what agrees; only the paths of the rest, usually few, are read, joined and judged in full.
--
-- Why SQL: DuckDB does the joins, spills to disk when memory is short, and shows each rule as one table that can be
-- looked at. Rejected ways:
--   a merge of sorted lists      loses rows without a word when one side is sorted in another way
--   a full outer join by path    holds every path of both sides in memory, for the sake of a few
--   a hash table of all rows     takes twice the time of sums over buckets of keys, and memory for every key
--   "below a hole" by a prefix   LIKE and starts_with are a nested loop, and wrong at the end of a component; an ASOF
--                                join with disjoint intervals takes one pass
--   empty directories downwards  looks at every tree below every directory; marking upwards, from what keeps a
--                                directory, takes one step for each level
--   Python functions in SQL      need numpy, and one call a row; Python is asked once, about the paths that matter
--   one snapshot                 calls what was written or deleted during the listing an orphan or missing
--
-- Given by comparison.py:
--   inventory_before, inventory_after  path, key, tail, root, size, time, in_flight, dataset, … (backend/contract/data.py)
--   listing                            shard, path, key, tail, root, kind, size, mtime, reason, identity, files
--                                      key, tail: 64 and 32 bits of a hash; root: its number; NULL: takes no part (rule 11)
--   named                              path, kind, size, mtime, identity: what the storage gives one, of all listings
--   hole_entry                         shard (NULL: each), path, reason: what of it is a hole (run/listing/holes.py)
--   alias                              path: of the holes, those that are a directory with several names
--   shard                              shard, listed_at
--   root, excluded                     path
--   root_of(path)                      macro: the root that `path` is below, or NULL
--   takes_part(path)                   macro: below a root and not in or below an excluded directory (rule 11)
--   parent, last_name (text), first_below, past_below (path)  macros (run/database.py)
--   variables ignore_age (seconds), deletion_requests (datasets)
--
-- Paths are bytes (BLOB) and compared as bytes (rule 1; the stages that wrote them have normalised them, and left out
-- those of which it is not known where they lead, rule 14). Where they are cut, they are text: bytes outside printable
-- ASCII become \xNN, which is reversible, and changes neither slashes nor what is below what.
-- One statement makes one table; the findings are missing, orphan, twin, mismatch and empty_directory.

-- ---------------------------------------------------------------------------------------------------- both sides

-- Nearly all files are where they should be, of one size everywhere, and need no more than a look at key and size. A number
-- that a file of this size has by chance is added for each snapshot, and taken away for the site; the three factors are
-- such that nothing is left where all have the same files equally often, and else something. Two paths with one key do not
-- look so, because their tails differ, and are looked at in full.
CREATE MACRO weight_of(key, tail, size) AS (xor(xor(key, tail::UBIGINT << 32), hash(size)) >> 12)::BIGINT;

CREATE VIEW weighed AS
SELECT key, weight_of(key, tail, size) AS weight FROM inventory_before WHERE root IS NOT NULL
UNION ALL
SELECT key, weight_of(key, tail, size) * 1009 FROM inventory_after WHERE root IS NOT NULL
UNION ALL
SELECT key, weight_of(key, tail, size) * -1010 FROM listing WHERE kind = 'file' AND root IS NOT NULL;

-- Here `doubtful.py` puts the keys whose weights have a sum, and those that a side has several times (rule 10).
CREATE TABLE doubtful (key UBIGINT);
-- continue

CREATE TABLE listed AS
SELECT shard, path, key, size, mtime, identity FROM listing WHERE kind = 'file' AND key IN (FROM doubtful);

-- Rules 2 and 3: in flight in the inventory, young at the site (NULL: of unknown age). An entry is as young as it was
-- when the listing began. A sum of time and age might be too large a number; the difference is none.
CREATE MACRO in_flight_or_young(in_flight, time) AS
  in_flight OR coalesce(time >= (SELECT min(listed_at) FROM shard) - getvariable('ignore_age'), FALSE);

CREATE VIEW entry AS
SELECT path, key, 0 AS side, size, in_flight_or_young(in_flight, time) AS unsettled, dataset
FROM inventory_before WHERE key IN (FROM doubtful)
UNION ALL
SELECT path, key, 1, size, in_flight_or_young(in_flight, time), dataset
FROM inventory_after WHERE key IN (FROM doubtful)
UNION ALL
SELECT path, key, 2, size, mtime >= listed_at - getvariable('ignore_age'), NULL FROM listed JOIN shard USING (shard);

-- Rule 10: whatever appears several times on a side is one file, with the sizes that it has there. A pending deletion
-- counts wherever one of its entries shows it.
CREATE TABLE looked_at AS
SELECT path, any_value(key) AS key,
       count(*) FILTER (side = 0) AS before, count(*) FILTER (side = 1) AS after, count(*) FILTER (side = 2) AS at_site,
       coalesce(bool_or(unsettled) FILTER (side < 2), FALSE) AS in_flight,
       coalesce(bool_or(unsettled) FILTER (side = 2), FALSE) AS young,
       coalesce(bool_or(unsettled IS NULL) FILTER (side = 2), FALSE) AS of_unknown_age,
       CASE WHEN min(coalesce(size, -1)) FILTER (side < 2) = max(size) FILTER (side < 2)
            THEN nullif(greatest(max(size) FILTER (side < 2), -1), -1) END AS size,
       CASE WHEN min(coalesce(size, -1)) FILTER (side = 2) = max(size) FILTER (side = 2)
            THEN nullif(greatest(max(size) FILTER (side = 2), -1), -1) END AS site_size,
       coalesce(bool_or(dataset IN (SELECT unnest(getvariable('deletion_requests')))), FALSE) AS deletion_pending,
       bool_or(dataset IS NOT NULL) AS has_dataset
FROM entry
GROUP BY path;

-- Rule 15: what something lies in is no file, whoever lists it as one; unless both sides agree on it.
CREATE TABLE perhaps_directory AS
SELECT path FROM looked_at
WHERE at_site > 0 AND NOT coalesce(before > 0 AND after > 0 AND size = site_size, FALSE);

-- Shards of which not all files lie in directories that have counted them: those of a dump, or of a former version.
CREATE TABLE not_counted AS
SELECT shard FROM listing GROUP BY shard HAVING coalesce(sum(files), 0) <> count(*) FILTER (kind = 'file');

-- What lies above something is added by `ancestors.py`.
CREATE TABLE listed_as_file AS
SELECT path FROM perhaps_directory WHERE path IN (SELECT path FROM listing WHERE kind <> 'file');

-- Rule 3: of unknown age is young, unless it stood, with its size, in an earlier listing (earlier_listings.py).
CREATE TABLE stood (path BLOB);
CREATE VIEW file AS
SELECT * REPLACE (young OR (of_unknown_age AND path NOT IN (FROM stood)) AS young)
FROM looked_at WHERE path NOT IN (FROM listed_as_file);

-- -------------------------------------------------------------------------------------------------------- holes

-- Rules 4 and 12.
CREATE TABLE hole AS
SELECT DISTINCT s.shard, path, reason FROM hole_entry AS e JOIN shard AS s ON e.shard IS NULL OR e.shard = s.shard;

-- The intervals of outermost holes, for each shard and for all (shard -1): disjoint, so that a path can only be in the
-- last one that begins before it.
CREATE TABLE unknown AS
WITH interval AS (
  SELECT shard, first_below(path) AS first, past_below(path) AS past FROM hole
  UNION
  SELECT -1, first_below(path), past_below(path) FROM hole
)
SELECT * FROM interval
QUALIFY coalesce(first >= max(past) OVER (PARTITION BY shard ORDER BY first
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), TRUE);

-- ------------------------------------------------------------------------------------------------- asked of Python

-- Rule 13 is about these: absent from the site, or unknown to the inventory, whatever else is said of them.
CREATE VIEW unpaired AS
SELECT path, at_site = 0 AS absent, CASE WHEN at_site = 0 THEN size ELSE site_size END AS size
FROM file WHERE at_site = 0 OR before + after = 0;

-- Here comparison.py completes `listed_as_file`, fills `stood`, and then these with the paths for which it matters
-- (`filters.py`):
--   unlisted          only a shard that has failed would have listed them
--   ignored           a pattern of the check matches
--   protected         of a dataset that is protected, or about to be deleted, as the backend's DatasetFilter says
--   deletion_pending  of a dataset that is about to be deleted, as it says
--   folded            with more than ASCII or an escape in it: the one form of all its spellings (`spelling.py`)
--   renamed_before    missing, and marked as renamed by the run before (`spelling.py`)
CREATE TABLE unlisted (path BLOB);
CREATE TABLE ignored (path BLOB);
CREATE TABLE protected (path BLOB);
CREATE TABLE deletion_pending (path BLOB);
CREATE TABLE folded (path BLOB, folded BLOB);
CREATE TABLE renamed_before (path BLOB);
-- continue

CREATE VIEW expected_where_listed AS
SELECT f.path
FROM (FROM file WHERE before + after > 0 AND NOT in_flight) AS f
ASOF LEFT JOIN (FROM unknown WHERE shard = -1) AS h ON f.path || '\x2F'::BLOB >= h.first
WHERE coalesce(f.path || '\x2F'::BLOB >= h.past, TRUE) AND f.path NOT IN (FROM unlisted);

-- ------------------------------------------------------------------------------------------------------- missing

-- Rule 5, and what rules 2 to 4 except from it.
CREATE TABLE missing_verdict AS
SELECT f.path, f.key,
       CASE WHEN f.path || '\x2F'::BLOB < h.past THEN 'hole'
            WHEN f.path IN (FROM unlisted) THEN 'hole'
            WHEN f.deletion_pending THEN 'deletion'
            WHEN NOT f.has_dataset AND f.path IN (FROM deletion_pending) THEN 'deletion'
            ELSE 'missing' END AS verdict
FROM (FROM file WHERE before > 0 AND after > 0 AND at_site = 0 AND NOT in_flight) AS f
ASOF LEFT JOIN (FROM unknown WHERE shard = -1) AS h ON f.path || '\x2F'::BLOB >= h.first;

-- Rule 13: two spellings of one name. Only an orphan and a missing file can be marked so, but an entry in flight or a
-- file that is protected may be their other name just as well.
CREATE TABLE renamed AS
WITH spelt AS (
  SELECT path, absent, size, coalesce(f.folded, lower(path::VARCHAR)::BLOB) AS folded
  FROM unpaired LEFT JOIN folded AS f USING (path)
  WHERE EXISTS (FROM unpaired WHERE absent) AND EXISTS (FROM unpaired WHERE NOT absent)
)
SELECT DISTINCT unnest([a.path, u.path]) AS path
FROM (FROM spelt WHERE absent) AS a JOIN (FROM spelt WHERE NOT absent) AS u USING (folded)
WHERE coalesce(a.size = u.size, TRUE);

-- Missing in a directory that answered "empty": servers do that.
CREATE TABLE missing_in_empty_directory AS
WITH empty AS (
  SELECT DISTINCT path AS directory, first_below(path) AS first, past_below(path) AS past
  FROM listing WHERE kind = 'directory' AND size = 0
  QUALIFY coalesce(first >= max(past) OVER (ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), TRUE)
)
SELECT m.path, directory
FROM (FROM missing_verdict WHERE verdict = 'missing') AS m
ASOF JOIN empty AS e ON first_below(m.path) >= e.first
WHERE first_below(m.path) < e.past;

-- Rule 13 once more: a directory that answers "empty" does not show that the other name has gone.
INSERT INTO renamed
SELECT path FROM missing_in_empty_directory WHERE path IN (FROM renamed_before) AND path NOT IN (FROM renamed);

-- A root, or a directory directly below one, among them.
CREATE TABLE empty_top_directory AS
SELECT DISTINCT directory AS path FROM missing_in_empty_directory
WHERE directory IN (SELECT path FROM root) OR parent(directory::VARCHAR) IN (SELECT path::VARCHAR FROM root);

-- ------------------------------------------------------------------------------------------------------ mismatch

-- Rule 7; sizes that are unknown, or on which a side does not agree with itself, prove nothing.
CREATE TABLE mismatch_verdict AS
SELECT path, key, site_size, 'mismatch' AS verdict
FROM file
WHERE before > 0 AND after > 0 AND at_site > 0 AND NOT in_flight AND NOT young AND size <> site_size;

-- Rule 12: what is fetched anew is removed first, and by the name of a link the file behind it is what goes. So a file
-- that has another name is only reported, and so is one like another of the same name, size and time where the storage
-- does not say which files are one: two inodes of one device are two files, and two devices may be one storage, mounted twice.
CREATE MACRO are_two(one, other) AS coalesce(one & 4294967295 = other & 4294967295, FALSE);

CREATE TABLE mismatched AS
SELECT path, size, mtime, identity FROM listed WHERE path IN (SELECT path FROM mismatch_verdict);

CREATE TABLE other_name AS
SELECT path FROM with_other_names('mismatched')
UNION
SELECT m.path
FROM mismatched AS m
JOIN (
  FROM listing
  WHERE kind = 'file' AND root IS NOT NULL AND coalesce(mtime, -1) IN (SELECT coalesce(mtime, -1) FROM mismatched)
  AND (size IS NULL OR size IN (SELECT size FROM mismatched))
) AS l ON l.mtime IS NOT DISTINCT FROM m.mtime AND coalesce(l.size = m.size, TRUE)
WHERE l.path <> m.path AND last_name(l.path::VARCHAR) = last_name(m.path::VARCHAR)
  AND NOT are_two(l.identity, m.identity);

-- -------------------------------------------------------------------------------------------------------- orphan

CREATE TABLE unclaimed AS
SELECT shard, path, size, mtime, identity FROM listed
WHERE path IN (SELECT path FROM file WHERE before + after = 0);

-- Directories that the storage gives an identity: a second name of one of them is a hole already (rule 12).
CREATE TABLE identified AS
SELECT DISTINCT path::VARCHAR AS text FROM listing WHERE kind = 'directory' AND identity IS NOT NULL;

-- Rule 12: a claimed file of the same name, size and time is perhaps the same file. What is listed and not unknown to the
-- inventory, it claims. Of times, both must be unknown; a size that is unknown is any. Of what is claimed and was not seen
-- (absent, in a hole, outside the roots, in an excluded directory) the time is not known, and may be any. What is spelt in
-- another way than its entry (rule 13) is claimed by that. Of two files with an identity on one device nobody need guess, nor
-- of one that is absent from a directory with an identity and one that lies in another.
-- Where one twin of a directory is claimed in an unlisted one, the two may be one directory: then the name alone, in any
-- spelling, is enough for the others, of which one may have another size than it should.
CREATE MACRO caseless_name(path) AS lower(last_name(
  CASE WHEN contains(path::VARCHAR, '\x') THEN coalesce(nfc_normalize(try(decode(path))), path::VARCHAR)
       ELSE path::VARCHAR END));

CREATE TABLE may_go AS
SELECT DISTINCT path, size, mtime, identity, last_name(path::VARCHAR) AS name, parent(path::VARCHAR) AS directory
FROM unclaimed
WHERE path NOT IN (SELECT path FROM file WHERE young) AND path NOT IN (FROM ignored) AND path NOT IN (FROM protected);

CREATE TABLE claimed_key AS
SELECT DISTINCT key FROM listing
WHERE kind = 'file' AND root IS NOT NULL AND coalesce(mtime, -1) IN (SELECT coalesce(mtime, -1) FROM may_go)
  AND (size IS NULL OR size IN (SELECT size FROM may_go) OR EXISTS (FROM may_go WHERE size IS NULL))
  AND key NOT IN (SELECT key FROM looked_at GROUP BY key
                  HAVING bool_and(before + after = 0 AND path NOT IN (FROM renamed)));

CREATE TABLE claimed AS
SELECT path, last_name(path::VARCHAR) AS name, size, mtime, identity FROM listing
WHERE kind = 'file' AND key IN (FROM claimed_key)
  AND (path NOT IN (SELECT path FROM looked_at WHERE before + after = 0) OR path IN (FROM renamed));

CREATE TABLE absent_of_that_name AS
SELECT path, key FROM looked_at
WHERE at_site = 0 AND caseless_name(path) IN (SELECT caseless_name(path) FROM may_go);

CREATE VIEW expected AS
SELECT path, key, root, size FROM inventory_before UNION ALL SELECT path, key, root, size FROM inventory_after;

CREATE TABLE claimed_unseen AS
SELECT e.path, last_name(e.path::VARCHAR) AS name, nullif(greatest(size, -1), -1) AS size,
       parent(e.path::VARCHAR) AS directory,
       NOT takes_part OR e.path IN (FROM unlisted) OR coalesce(e.path || '\x2F'::BLOB < h.past, FALSE) AS unlisted
FROM (
  SELECT path, size, TRUE AS takes_part FROM expected
  WHERE key IN (SELECT key FROM absent_of_that_name) AND path IN (SELECT path FROM absent_of_that_name)
  UNION ALL
  SELECT path, size, FALSE FROM expected
  WHERE root IS NULL AND caseless_name(path) IN (SELECT caseless_name(path) FROM may_go)
) AS e
ASOF LEFT JOIN (FROM unknown WHERE shard = -1) AS h ON e.path || '\x2F'::BLOB >= h.first;

CREATE TABLE unseen_twin AS
SELECT o.path, o.directory, c.directory AS claimed_in
FROM may_go AS o JOIN claimed_unseen AS c USING (name)
WHERE coalesce(o.size = c.size, TRUE)
  AND (c.unlisted OR o.path NOT IN (FROM renamed))
  AND (c.unlisted OR NOT (o.directory IN (FROM identified) AND c.directory IN (FROM identified)));

-- Of a file with several names, or to which a link leads, nobody knows which one stays when another goes: an XRootD server
-- that is asked to remove a link to a file removes the file.
CREATE TABLE twin AS
SELECT o.path
FROM may_go AS o JOIN claimed AS c USING (name)
WHERE o.path <> c.path AND o.mtime IS NOT DISTINCT FROM c.mtime AND coalesce(o.size = c.size, TRUE)
  AND NOT are_two(o.identity, c.identity)
UNION
SELECT path FROM with_other_names('may_go')
UNION
SELECT path FROM unseen_twin
UNION
SELECT o.path
FROM may_go AS o
JOIN (SELECT DISTINCT directory, claimed_in FROM unseen_twin) USING (directory)
JOIN claimed_unseen AS c ON c.directory = claimed_in AND caseless_name(c.path) = caseless_name(o.path);

-- Rules 6, 8 and 12. A file below a hole of its own shard comes from an incomplete answer, unless another shard saw it.
CREATE TABLE orphan_verdict AS
SELECT path, any_value(size) AS site_size, min(mtime) AS mtime, any_value(verdict) AS verdict
FROM (
  SELECT l.path, l.size, l.mtime,
         CASE WHEN f.young THEN 'young'
              WHEN bool_and(coalesce(l.path || '\x2F'::BLOB < h.past, FALSE)) OVER (PARTITION BY l.path) THEN 'hole'
              WHEN l.path IN (FROM ignored) THEN 'ignored'
              WHEN l.path IN (FROM protected) THEN 'protected'
              WHEN l.path IN (FROM twin) THEN 'twin'
              ELSE 'orphan' END AS verdict
  FROM unclaimed AS l
  JOIN file AS f USING (path)
  ASOF LEFT JOIN unknown AS h ON l.shard = h.shard AND l.path || '\x2F'::BLOB >= h.first
)
GROUP BY path;

-- ----------------------------------------------------------------------------------------------- empty directories

-- Rule 9.
CREATE TABLE directory AS
SELECT path, any_value(key) AS key, path::VARCHAR AS text, max(mtime) AS mtime,
       bool_or(coalesce(mtime >= listed_at - getvariable('ignore_age'), TRUE)) AS young
FROM listing JOIN shard USING (shard)
WHERE kind = 'directory' AND root IS NOT NULL
GROUP BY path;

CREATE TABLE parent_of_file AS
SELECT path::VARCHAR AS text FROM listing WHERE kind = 'directory' AND files > 0
UNION
SELECT parent(path::VARCHAR) FROM listing
WHERE kind = 'file' AND shard IN (FROM not_counted) AND EXISTS (FROM directory);

-- What keeps a directory, and everything above it. An entry of the inventory that is not doubtful has its file at the site.
CREATE TABLE kept AS
WITH RECURSIVE above AS (
  SELECT DISTINCT text FROM (
    SELECT text FROM parent_of_file
    UNION ALL SELECT parent(path::VARCHAR) FROM looked_at
    UNION ALL SELECT path::VARCHAR FROM hole
    UNION ALL SELECT path::VARCHAR FROM excluded
    UNION ALL SELECT text FROM directory WHERE young OR path IN (FROM ignored)
  ) WHERE EXISTS (FROM directory)
  UNION
  SELECT parent(text) FROM above WHERE text <> ''
)
SELECT text FROM above;

CREATE TABLE childless AS SELECT path, key, mtime FROM directory WHERE text NOT IN (FROM kept);

-- Rule 12: below a directory with two names there is no knowing what else has two.
CREATE TABLE below_alias AS
SELECT c.path FROM childless AS c
ASOF JOIN (SELECT first_below(path) AS first, past_below(path) AS past FROM alias) AS a ON c.path >= a.first
WHERE c.path < a.past;

CREATE TABLE file_key AS SELECT DISTINCT key FROM weighed WHERE key IN (SELECT key FROM childless);

CREATE TABLE empty_directory_verdict AS
SELECT path, mtime FROM childless
WHERE path NOT IN (FROM below_alias)
  AND path NOT IN (SELECT path FROM expected WHERE key IN (FROM file_key))
  AND path NOT IN (SELECT path FROM listing WHERE kind = 'file' AND key IN (FROM file_key));

-- --------------------------------------------------------------------------------- what is written with the findings

CREATE TABLE detail AS
SELECT DISTINCT ON (path) * FROM (
  SELECT path, key FROM missing_verdict WHERE verdict = 'missing' UNION ALL SELECT path, key FROM mismatch_verdict
) JOIN inventory_after USING (path, key);
