-- What the production branch of 2018 has otherwise than master (which is loaded first): no table that says which
-- files of a block are at a site, no subscriptions, another dataset_replicas, and site names without case.
DROP TABLE block_replica_files;
DROP TABLE file_subscriptions;
DROP TABLE unmanaged_deletions;
DROP TABLE filename_mappings;
DROP TABLE dataset_replicas;
CREATE TABLE dataset_replicas (
  dataset_id INT UNSIGNED NOT NULL,
  site_id INT UNSIGNED NOT NULL,
  completion ENUM('full', 'incomplete', 'partial') COLLATE latin1_general_ci NOT NULL,
  is_custodial TINYINT(1) NOT NULL DEFAULT 0,
  last_block_created DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (dataset_id, site_id),
  KEY sites (site_id)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
ALTER TABLE block_replicas MODIFY is_complete TINYINT(1) NOT NULL DEFAULT 0;
ALTER TABLE sites MODIFY name VARCHAR(32) COLLATE latin1_general_ci NOT NULL;
