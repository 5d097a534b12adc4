"""A small inventory in SQLite with Dynamo's tables: filled from lists of files, and written to them."""
