"""The rules from LFN to path of a source."""

from typing import Annotated

from pydantic import AfterValidator, Field

from dynamo_consistency.path_rules import PathRules, path_rule
from dynamo_consistency.yamlfile import ClosedModel


class LfnRule(ClosedModel):
    """One rule: where a tree of LFNs is at the site."""

    lfn: Annotated[str, Field(min_length=1, max_length=512)] = Field(
        description="Pattern for the LFN, a beginning and (.*): /+store/temp/(.*)."
    )
    path: Annotated[str, Field(min_length=1, max_length=512)] = Field(
        description="Path at the site, below prefix; $1 is what (.*) matched: /scratch/$1."
    )


def path_rules(rules: list[LfnRule]) -> PathRules:
    """`rules` to be followed. Raises ValueError for one that cannot be read backwards, and for ambiguous ones."""
    return PathRules([path_rule(rule.lfn, rule.path) for rule in rules])


def _can_be_followed(rules: list[LfnRule]) -> list[LfnRule]:
    path_rules(rules)
    return rules


LfnRules = Annotated[list[LfnRule], Field(min_length=1, max_length=64), AfterValidator(_can_be_followed)]
