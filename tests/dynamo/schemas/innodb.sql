-- What the innodb branch changes in the inventory of master (which is loaded first).
CREATE TABLE transfer_protocols (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  protocol VARCHAR(32) COLLATE latin1_general_cs NOT NULL UNIQUE
) ENGINE = InnoDB CHARSET = latin1;
DROP TABLE filename_mappings;
CREATE TABLE filename_mappings (
  site_id INT UNSIGNED NOT NULL,
  protocol_id INT UNSIGNED NOT NULL,
  chain_id INT UNSIGNED NOT NULL,
  `index` INT UNSIGNED NOT NULL,
  lfn_pattern VARCHAR(512) COLLATE latin1_general_cs NOT NULL,
  pfn_pattern VARCHAR(512) COLLATE latin1_general_cs NOT NULL
) ENGINE = InnoDB CHARSET = latin1;
ALTER TABLE sites ENGINE = InnoDB;
ALTER TABLE `groups` ENGINE = InnoDB;
ALTER TABLE datasets ENGINE = InnoDB;
ALTER TABLE datasets MODIFY is_open TINYINT(1) NOT NULL DEFAULT 0;
ALTER TABLE blocks ENGINE = InnoDB;
ALTER TABLE files ENGINE = InnoDB;
ALTER TABLE block_replicas ENGINE = InnoDB;
ALTER TABLE block_replica_files ENGINE = InnoDB;
ALTER TABLE dataset_replicas ENGINE = InnoDB;
ALTER TABLE file_subscriptions ENGINE = InnoDB;
ALTER TABLE unmanaged_deletions ENGINE = InnoDB;
