"""Outcomes for those who are only told a number."""

import logging
from collections.abc import Sequence

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Outcome

log = logging.getLogger(__name__)


def standing(outcomes: Sequence[Outcome]) -> int:
    """The number of files for which a request stands now; why there is none for the others is logged."""
    refused = {outcome.path: outcome.message for outcome in outcomes if outcome.outcome == "refused"}
    for path, message in refused.items():
        log.warning("not requested: %s: %s", paths.visible(path), message)
    return len({outcome.path for outcome in outcomes} - refused.keys())
