"""From the configuration of the two older tools, and from a site's own, to checks.

With them come notes on the settings that a check does not have.

Pure: from mappings to documents. A document never allows more than a check's defaults do, and never acts: each mode is
Report, whatever the older tool did.
"""

from dynamo_consistency.convert.conversion import Conversion, Note
from dynamo_consistency.convert.dynamo import convert_dynamo
from dynamo_consistency.convert.rce import ATTRIBUTE, convert_rce
from dynamo_consistency.convert.storage_json import Wanted, convert_storage_json

__all__ = ["ATTRIBUTE", "Conversion", "Note", "Wanted", "convert_dynamo", "convert_rce", "convert_storage_json"]
