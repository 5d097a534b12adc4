"""Requests to Dynamo: deletions and transfers, written as rows that its own daemons carry out."""
