"""Rucio's REST interface: tokens, HTTP with its retries, and the calls that are used."""
