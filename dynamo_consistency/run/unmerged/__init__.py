"""The unmerged area: no inventory says what belongs there, so that files, logs and empty directories go by their age.

A part of a check that may be absent; then nothing here does anything. What protects a path are the list of protected
directories, the components that the check excludes, the ignore patterns, and whatever could not be listed.
"""

from dynamo_consistency.run.unmerged.area import load_protected, read_area
from dynamo_consistency.run.unmerged.findings import comparable, find_unmerged
from dynamo_consistency.run.unmerged.listing import list_unmerged
from dynamo_consistency.run.unmerged.protected_list import ProtectionError, protected_list
from dynamo_consistency.run.unmerged.rules import UnmergedRules, cleaned

__all__ = [
    "ProtectionError",
    "UnmergedRules",
    "cleaned",
    "comparable",
    "find_unmerged",
    "list_unmerged",
    "load_protected",
    "protected_list",
    "read_area",
]
