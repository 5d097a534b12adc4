"""Dynamo's databases: how they are reached, which tables they have, and which versions of them there are."""
