"""Keeps grid storage sites consistent with the inventory that manages them."""

from importlib.metadata import version

__version__ = version("dynamo-consistency")
