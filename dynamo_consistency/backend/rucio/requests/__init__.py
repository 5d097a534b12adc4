"""Requests to Rucio: transfers, quarantined replicas, and what is checked before one is sent."""
