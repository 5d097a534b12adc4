"""The listing stage: a shard of the site, or all of them by several processes, into the run directory."""
