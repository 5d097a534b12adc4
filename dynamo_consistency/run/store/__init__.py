"""Where runs are kept: the run directory, on a disk or in an object store."""
