"""From the configuration of the two older tools to checks, and notes on the settings that a check does not have.

Pure: from mappings to documents. A document never allows more than a check's defaults do, and never acts: each mode is
Report, whatever the older tool did.
"""

from dynamo_consistency.convert.conversion import Conversion, Note
from dynamo_consistency.convert.dynamo import convert_dynamo
from dynamo_consistency.convert.rce import ATTRIBUTE, convert_rce

__all__ = ["ATTRIBUTE", "Conversion", "Note", "convert_dynamo", "convert_rce"]
