"""Dates in the names of dumps, as people write them; what looks like one and is none asks for `date`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.dates import date_in


def date_of(name, zone="UTC"):
    return date_in(name, ZoneInfo(zone), name)


def moment(*parts):
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("dump_20261120", (2026, 11, 20)),
        ("dump20261120.tsv.gz", (2026, 11, 20)),
        ("dump_2026-11-20", (2026, 11, 20)),
        ("dump_2026.11.20.txt", (2026, 11, 20)),
        ("T2_X_2026_11_20_04_30_M.list", (2026, 11, 20, 4, 30)),
        ("2026-11-20T0430", (2026, 11, 20, 4, 30)),
        ("2026-11-20T04:30:15Z", (2026, 11, 20, 4, 30, 15)),
        ("20261120T043015Z.gz", (2026, 11, 20, 4, 30, 15)),
        ("20261120-0430", (2026, 11, 20, 4, 30)),
        ("dump_20261120043015", (2026, 11, 20, 4, 30, 15)),
        ("dump_202611200430", (2026, 11, 20, 4, 30)),
        ("dump_2026112004", (2026, 11, 20, 4)),
        ("replica_T2_X_20-11-2026", (2026, 11, 20)),
        ("replica_20.11.2026.txt", (2026, 11, 20)),
        ("replica_05-12-2026", (2026, 12, 5)),
        ("dump_2026-1-5", (2026, 1, 5)),
        ("dump_20Nov2026.txt", (2026, 11, 20)),
        ("dump-2026-Nov-20", (2026, 11, 20)),
        ("dump 20 november 2026", (2026, 11, 20)),
        ("all.1763596800.txt", (2025, 11, 20)),
        ("all.1763596800123.txt", (2025, 11, 20)),
        ("dump_20261120_9930", (2026, 11, 20)),
        ("dump_20261120-20261127", (2026, 11, 20)),
        ("run12345678_20261120", (2026, 11, 20)),
    ],
)
def test_a_date_is_read_as_it_is_written(name, date):
    assert date_of(name) == moment(*date)


@pytest.mark.parametrize(
    "name",
    ["list_of_T2_X_v2", "run_12345678.tsv", "dump", "part-00001", "361122.txt", "v1.2.3", "0123456789", "18001122"],
)
def test_other_numbers_are_no_dates(name):
    assert date_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "list_20269931",
        "list_2026112099",
        "list_202611209999",
        "list_31-13-2026",
        "list_11-29-2026",
        "list_2026-13-01",
        "list_2026.02.30",
        "list_2026_99_01_04_30",
        "list_20260230",
        "list_20261120_and_20269931",
    ],
)
def test_what_looks_like_a_date_and_is_none_asks_for_the_date(name):
    with pytest.raises(ListingError, match="looks like a date and is none; set its date"):
        date_of(name)


def test_six_digits_that_may_be_a_day_of_late_ask_for_the_date():
    with pytest.raises(ListingError, match="may be a date of two digits; set its date"):
        date_of(f"dump_{datetime.now(UTC):%y%m%d}")
    assert date_of(f"20261120_{datetime.now(UTC):%y%m%d}") == moment(2026, 11, 20)


def test_a_date_is_in_the_zone_that_is_given():
    assert date_of("20261120", "Asia/Tokyo") == moment(2026, 11, 19, 15)
    assert date_of("20261120", "America/Chicago") == moment(2026, 11, 20, 6)
    assert date_of("20261120T0430Z", "America/Chicago") == moment(2026, 11, 20, 4, 30)
