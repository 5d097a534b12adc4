"""The listing stage: a shard of the site, or the whole site by several processes, into the run directory."""
