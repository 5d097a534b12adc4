"""One run of a check: a stage a file, each with one entrance, and the run directory that they share."""
