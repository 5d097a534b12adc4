"""Keeps grid storage sites consistent with the inventory that manages them."""
