"""The operator: SiteConsistencyCheck resources, their Jobs and their status."""
