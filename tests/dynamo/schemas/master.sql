-- The inventory of Dynamo v2.2 and later, as its master branch leaves it: MyISAM, zero dates, mixed collations.
CREATE TABLE sites (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(32) COLLATE latin1_general_cs NOT NULL UNIQUE,
  host VARCHAR(256) COLLATE latin1_general_ci,
  storage_type ENUM('disk', 'mss', 'buffer', 'unknown') COLLATE latin1_general_ci NOT NULL DEFAULT 'unknown',
  backend VARCHAR(128) COLLATE latin1_general_ci,
  status ENUM('ready', 'waitroom', 'morgue', 'unknown') COLLATE latin1_general_ci NOT NULL DEFAULT 'ready'
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE `groups` (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(64) COLLATE latin1_general_ci NOT NULL UNIQUE,
  olevel ENUM('Dataset', 'Block') COLLATE latin1_general_ci NOT NULL DEFAULT 'Block'
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE datasets (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(512) COLLATE latin1_general_cs NOT NULL UNIQUE,
  status ENUM('UNKNOWN', 'DELETED', 'DEPRECATED', 'INVALID', 'PRODUCTION', 'VALID', 'IGNORED')
    COLLATE latin1_general_ci,
  data_type ENUM('UNKNOWN', 'PRODUCTION', 'TEST') COLLATE latin1_general_ci NOT NULL DEFAULT 'UNKNOWN',
  software_version_id INT UNSIGNED NOT NULL DEFAULT 0,
  last_update DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  is_open TINYINT(1) NOT NULL
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE blocks (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  dataset_id INT UNSIGNED NOT NULL DEFAULT 0,
  name VARCHAR(128) COLLATE latin1_general_cs NOT NULL,
  size BIGINT NOT NULL DEFAULT -1,
  num_files INT NOT NULL DEFAULT 0,
  is_open TINYINT(1) NOT NULL,
  last_update DATETIME NOT NULL,
  UNIQUE KEY full_name (dataset_id, name)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE files (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  block_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  size BIGINT NOT NULL DEFAULT -1,
  name VARCHAR(512) COLLATE latin1_general_cs NOT NULL UNIQUE,
  KEY blocks (block_id)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE block_replicas (
  block_id BIGINT UNSIGNED NOT NULL,
  site_id INT UNSIGNED NOT NULL,
  group_id INT UNSIGNED NOT NULL,
  is_custodial TINYINT(1) NOT NULL DEFAULT 0,
  last_update DATETIME NOT NULL,
  is_complete TINYINT(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (block_id, site_id),
  KEY sites (site_id),
  KEY `groups` (group_id)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE block_replica_files (
  block_id BIGINT UNSIGNED NOT NULL,
  site_id INT UNSIGNED NOT NULL,
  file_id BIGINT NOT NULL,
  UNIQUE KEY filereplica (file_id, site_id),
  KEY blockreplica (block_id, site_id),
  KEY site (site_id)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE dataset_replicas (
  dataset_id INT UNSIGNED NOT NULL,
  site_id INT UNSIGNED NOT NULL,
  growing TINYINT(1) UNSIGNED NOT NULL,
  group_id INT UNSIGNED,
  PRIMARY KEY (dataset_id, site_id),
  KEY sites (site_id),
  KEY `groups` (group_id)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE filename_mappings (
  site_id INT UNSIGNED NOT NULL,
  protocol VARCHAR(32) COLLATE latin1_general_cs NOT NULL,
  chain_id INT UNSIGNED NOT NULL,
  `index` INT UNSIGNED NOT NULL,
  lfn_pattern VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  pfn_pattern VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  KEY links (site_id, protocol, chain_id, `index`)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE file_subscriptions (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  file_id BIGINT UNSIGNED NOT NULL,
  site_id INT UNSIGNED NOT NULL,
  status ENUM('new', 'inbatch', 'done', 'retry', 'held', 'cancelled')
    COLLATE latin1_general_ci NOT NULL DEFAULT 'new',
  created DATETIME NOT NULL,
  last_update DATETIME,
  `delete` TINYINT(1) UNSIGNED NOT NULL,
  hold_reason ENUM('no_source', 'all_failed', 'site_unavailable') COLLATE latin1_general_ci,
  UNIQUE KEY subscription (file_id, site_id, `delete`),
  KEY `delete` (`delete`),
  KEY status (status)
) ENGINE = MyISAM CHARSET = latin1 CHECKSUM = 1;
CREATE TABLE unmanaged_deletions (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  site VARCHAR(32) COLLATE latin1_general_ci NOT NULL,
  url VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  KEY sites (site)
) ENGINE = MyISAM CHARSET = latin1 COLLATE = latin1_general_cs;
