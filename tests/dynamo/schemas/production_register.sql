-- The requests and the queues of the production branch of 2018.
CREATE TABLE deletion_requests (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id INT UNSIGNED NOT NULL,
  `timestamp` DATETIME NOT NULL,
  status ENUM('new', 'activated', 'completed', 'rejected', 'cancelled') NOT NULL DEFAULT 'new',
  rejection_reason TEXT COLLATE latin1_general_cs
) ENGINE = MyISAM CHARSET = latin1;
CREATE TABLE deletion_request_items (
  request_id INT UNSIGNED NOT NULL,
  item VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  KEY request (request_id)
) ENGINE = MyISAM CHARSET = latin1;
CREATE TABLE deletion_request_sites (
  request_id INT UNSIGNED NOT NULL,
  site VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  KEY request (request_id)
) ENGINE = MyISAM CHARSET = latin1;
CREATE TABLE active_deletions (
  request_id INT UNSIGNED NOT NULL,
  item VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  site VARCHAR(32) NOT NULL,
  `timestamp` DATETIME NOT NULL,
  status ENUM('new', 'queued') NOT NULL DEFAULT 'new',
  created DATETIME NOT NULL,
  updated DATETIME,
  KEY request (request_id),
  KEY item (item),
  KEY site (site)
) ENGINE = MyISAM CHARSET = latin1;
CREATE TABLE deletion_queue (
  reqid INT UNSIGNED NOT NULL DEFAULT 0,
  file VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  site VARCHAR(32) COLLATE latin1_general_cs NOT NULL,
  status ENUM('new', 'done', 'failed', 'inbatch') COLLATE latin1_general_cs NOT NULL,
  created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  start BIGINT,
  finish BIGINT UNSIGNED,
  batchid VARCHAR(40) COLLATE latin1_general_cs,
  UNIQUE KEY file (file, site)
) ENGINE = MyISAM CHARSET = latin1 COLLATE = latin1_general_cs;
CREATE TABLE transfer_queue (
  reqid INT UNSIGNED NOT NULL,
  file VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  site_from VARCHAR(32) COLLATE latin1_general_cs NOT NULL,
  site_to VARCHAR(32) COLLATE latin1_general_cs NOT NULL,
  status ENUM('new', 'done', 'failed', 'inbatch', 'instage', 'staged', 'phedex') COLLATE latin1_general_cs NOT NULL,
  created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  start BIGINT UNSIGNED,
  finish BIGINT UNSIGNED,
  batchid VARCHAR(40) COLLATE latin1_general_cs,
  fsize BIGINT UNSIGNED NOT NULL DEFAULT 0,
  failcode SMALLINT UNSIGNED,
  ntries SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  UNIQUE KEY transferid (site_from, site_to, file),
  KEY requestind (reqid),
  KEY reqid_file (reqid, file)
) ENGINE = MyISAM CHARSET = latin1 COLLATE = latin1_general_cs;
