-- The requests of master and of the innodb branch.
CREATE TABLE deletion_requests (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user VARCHAR(64) COLLATE latin1_general_cs NOT NULL,
  dn VARCHAR(256) COLLATE latin1_general_cs,
  request_time DATETIME NOT NULL,
  status ENUM('new', 'activated') COLLATE latin1_general_cs NOT NULL DEFAULT 'new',
  KEY request_time (request_time),
  KEY status (status),
  KEY user (user)
) ENGINE = MyISAM CHARSET = latin1 COLLATE = latin1_general_cs;
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
  status ENUM('new', 'queued', 'failed', 'completed') NOT NULL DEFAULT 'new',
  created DATETIME NOT NULL,
  updated DATETIME,
  UNIQUE KEY request (request_id, item, site)
) ENGINE = MyISAM CHARSET = latin1;
