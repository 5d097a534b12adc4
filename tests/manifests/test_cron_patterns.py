"""The regular expressions for cron lines: no narrower than what the model takes, and as narrow as they can be."""

import re
from datetime import UTC, datetime

import pytest
from consistency_operator.crd import cron_patterns
from cronsim import CronSim, CronSimError
from hypothesis import example, given
from hypothesis import strategies as st

from dynamo_consistency.check import CRON_MACROS


def matches(pattern: str, line: str) -> bool:
    """As an API server does it; Python has no [[:space:]]."""
    return bool(re.search(pattern.replace("[[:space:]]", r"[ \t\n]").replace("[^[:space:]]", r"[^ \t\n]"), line))


def fires(line: str) -> bool:
    try:
        return next(CronSim(line, datetime(2026, 1, 1, tzinfo=UTC)), None) is not None
    except CronSimError:
        return False


numbers = st.integers(0, 70).map(str) | st.integers(0, 9).map(lambda number: f"0{number}")
words = st.sampled_from(
    ["jan", "FEB", "Apr", "DEC", "sun", "MON", "sat", "L", "LW", "5L", "MON#2", "3#6", "MAY#1", "x", ""]
)
values = numbers | words | st.just("*")
terms = st.one_of(
    values,
    st.builds("{}-{}".format, values, values),
    st.builds("{}/{}".format, values, numbers),
    st.builds("{}-{}/{}".format, values, values, numbers),
)
fields = st.lists(terms, min_size=1, max_size=3).map(",".join)
anything = st.builds("{} {} {} {} {}".format, fields, fields, fields, fields, fields)


def field(*good: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(good), min_size=1, max_size=2).map(",".join)


mostly_right = st.builds(
    "{} {} {} {} {}".format,
    field("0", "*/5", "59", "10-20/2"),
    field("3", "23", "*", "0-5"),
    field("1", "29", "30", "31", "30-31", "31/2", "L", "LW", "*"),
    field("2", "FEB", "4", "11", "1-3", "*", "2/3", "sep"),
    field("*", "*/2", "0", "5L", "MON#1", "SUN-TUE"),
)


@given(line=anything | mostly_right)
@example("0 0 31 2 */2")
@example("0 0 29 2 *")
def test_what_fires_the_api_server_takes(line):
    if fires(line):
        assert matches(cron_patterns.CRON, line)
        assert not matches(cron_patterns.NEVER, line)


@given(line=mostly_right)
def test_what_is_written_rightly_and_never_fires_the_api_server_knows(line):
    """But for lists of months with ranges and steps, which no regular expression can count."""
    month = line.split()[3]
    if not fires(line) and month.replace(",", "").isalnum():
        assert matches(cron_patterns.NEVER, line)


@pytest.mark.parametrize("macro", CRON_MACROS)
def test_macros_are_taken(macro):
    assert matches(cron_patterns.CRON, macro)


@pytest.mark.parametrize(
    "line", ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "* * * *", "*/0 * * * *"]
)
def test_what_is_out_of_range_is_refused(line):
    assert not fires(line)
    assert not matches(cron_patterns.CRON, line)
