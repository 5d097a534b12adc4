"""Rucio's catalogue, read from its database: storage elements, replicas, datasets, and the path of each file."""
