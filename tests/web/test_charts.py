"""Charts: whatever the numbers and names are, the picture is whole, and it shows what it should."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import is_lawful, parsed, places, texts, with_class

from dynamo_consistency.sizes import human_size
from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.bars import stacked_over_time
from dynamo_consistency.web.charts.histogram import Class, histogram
from dynamo_consistency.web.charts.icicle import Directory, icicle
from dynamo_consistency.web.charts.lines import Limit, counts_over_time, levels_over_time
from dynamo_consistency.web.charts.scale import count_ticks, duration_ticks, even_ticks, time_ticks
from dynamo_consistency.web.charts.share import share_bar, swatch
from dynamo_consistency.web.charts.sparkline import sparkline
from dynamo_consistency.web.charts.timeline import Frame, Moment, Series

WEEK = 7 * 86400
numbers = st.none() | st.integers(-5, 10**19) | st.floats(allow_nan=True, allow_infinity=True)
names = st.text(max_size=12) | st.sampled_from(
    ["<b>", '"x', "&", "]]>", "\x00\n\x1b", "\udcff", "\N{RIGHT-TO-LEFT OVERRIDE}x"]
)
times = st.floats(-1e12, 1e12) | st.integers(1_700_000_000, 1_800_000_000)


@st.composite
def timelines(draw):
    """A frame and series that fit it."""
    at = sorted(draw(st.lists(times, max_size=8)))
    moments = [Moment(one, draw(names), draw(st.just("") | names)) for one in at]
    frame = Frame(draw(names), moments, lambda value: f"{value:,.0f}", width=draw(st.sampled_from([340, 960])))
    series = st.builds(Series, names, names, st.lists(numbers, min_size=len(at), max_size=len(at)))
    return frame, draw(st.lists(series, max_size=3))


directories = st.recursive(
    st.builds(Directory, names, numbers.map(lambda n: n if n is not None and abs(n) < 1e30 else 0), hole=st.booleans()),
    lambda below: st.builds(
        Directory,
        names,
        st.integers(0, 10**18),
        st.lists(names, max_size=2),
        st.floats(0, 1),
        st.floats(0, 1),
        st.booleans(),
        st.none() | names,
        st.lists(below, max_size=4),
    ),
    max_leaves=12,
)


@given(st.lists(numbers, max_size=30), names)
def test_any_sparkline_is_lawful(values, name):
    is_lawful(sparkline(values, name, name))


@settings(max_examples=60)
@given(timelines(), st.lists(st.builds(Limit, names, names, numbers.map(lambda n: n or 0.0)), max_size=3))
def test_any_chart_over_time_is_lawful(drawn, limits):
    frame, series = drawn
    for base in (10, 1024):
        is_lawful(counts_over_time(frame, series, limits, base))
        is_lawful(levels_over_time(frame, series, base))
    is_lawful(stacked_over_time(frame, series))


@settings(max_examples=60)
@given(st.lists(directories, max_size=4), names)
def test_any_icicle_is_lawful(roots, title):
    is_lawful(icicle(roots, title))


@given(st.lists(st.builds(Class, names, numbers.map(lambda n: n or 0.0), names, names), min_size=1, max_size=7), names)
def test_any_histogram_is_lawful(classes, title):
    is_lawful(histogram(classes, title, title))


@given(
    st.lists(st.tuples(names, names, numbers.map(lambda n: n or 0.0)), max_size=5),
    numbers.map(lambda n: n or 0.0),
    names,
)
def test_any_share_is_lawful(parts, whole, title):
    is_lawful(share_bar(parts, whole, title))


@given(st.floats(0, 1e20))
def test_an_axis_names_few_numbers_and_reaches_the_highest(highest):
    for ticks in (count_ticks(highest), even_ticks(0, highest), even_ticks(0, highest, 1024), duration_ticks(highest)):
        assert 2 <= len(ticks) <= 7
        assert ticks == sorted(ticks)
        assert ticks[0] == 0
        assert ticks[-1] * 10 > highest
    assert even_ticks(0, highest)[-1] >= highest * 0.999999


@given(st.floats(0, 4e9), st.floats(0, 4e9), st.integers(2, 12))
def test_dates_of_an_axis_lie_on_it(one, other, most):
    start, end = sorted((one, other))
    for at, _ in time_ticks(start, end, most):
        assert start <= at <= end


def frame(count: int = 4, gap: int | None = None, form=lambda value: f"{value:,.0f}") -> Frame:
    moments = [
        Moment(1_790_000_000 + n * WEEK, f"run {n}", "the snapshot is empty" if n == gap else "") for n in range(count)
    ]
    return Frame("findings", moments, form)


def test_a_run_without_numbers_is_a_gap_that_tells_its_reason():
    picture = parsed(counts_over_time(frame(5, gap=2), [Series("missing", "missing", [1, 2, None, 4, 5])]))
    assert len([part for part in with_class(picture, "line") if part.tag == "path"]) == 2
    [band] = [part for part in picture.iter("g") if with_class(part, "gap")]
    assert texts(band, "title") == ["run 2\nthe snapshot is empty"]


def test_findings_and_a_limit_far_above_can_both_be_seen():
    picture = parsed(
        counts_over_time(
            frame(), [Series("orphans", "orphans", [0, 12, 12, 12])], [Limit("orphans", "orphans", 10_000)]
        )
    )
    [limit] = with_class(picture, "limit")
    [line] = [part for part in with_class(picture, "line") if part.tag == "path"]
    heights = [y for _, y in places(line)]
    assert float(limit.attrib["y1"]) < min(heights) - 60
    assert heights[0] - heights[1] > 20


def test_equal_limits_are_named_once():
    limits = [Limit("orphans", "orphans", 10_000), Limit("empty directories", "emptyDirectories", 10_000)]
    picture = parsed(counts_over_time(frame(), [Series("orphans", "orphans", [1, 1, 1, 1])], limits))
    assert [part.text for part in with_class(picture, "limit-name")] == ["limit orphans, empty directories: 10,000"]


def test_numbers_that_are_near_to_each_other_fill_the_chart():
    values = [1_000_000, 1_002_000, 1_001_000, 1_000_500]
    [line] = with_class(parsed(levels_over_time(frame(), [Series("listed", "listed", values)])), "line")
    heights = [y for _, y in places(line)]
    assert max(heights) - min(heights) > 50


def test_a_moment_tells_its_numbers_on_hover():
    drawn = frame(2, form=human_size)
    picture = parsed(levels_over_time(drawn, [Series("listed", "listed", [2048, 1024])], base=1024))
    assert [text for text in texts(picture, "title") if "run" in text] == [
        "run 0\nlisted: 2.0 KiB",
        "run 1\nlisted: 1.0 KiB",
    ]


def test_stacked_bars_stand_on_each_other():
    series = [Series("snapshot", "snapshot", [60, 60]), Series("listing", "listing", [3600, None])]
    picture = parsed(stacked_over_time(frame(2), series))
    first, alone, second = [places(bar) for bar in with_class(picture, "bar")]
    assert second[1][1] == pytest.approx(first[0][1], abs=0.2)
    assert alone[1][1] == pytest.approx(first[1][1], abs=0.2)


def test_directories_are_as_wide_as_their_bytes_and_as_dark_as_their_share():
    roots = [
        Directory("/store/mc", 3000, missing=0.2, children=[Directory("a", 1500)]),
        Directory("/store/data", 1000, orphans=0.0005),
    ]
    picture = parsed(icicle(roots, "where", 800))
    mc, a, data = [part for part in picture.iter("rect") if "cell" in part.attrib["class"]]
    assert (mc.attrib["width"], a.attrib["width"], data.attrib["width"]) == ("599", "299", "199")
    assert float(a.attrib["y"]) > float(mc.attrib["y"])
    assert [part.attrib["class"] for part in (mc, a, data)] == ["cell missing-4", "cell whole", "cell orphans-1"]


def test_a_hole_is_hatched_and_can_be_seen_although_its_bytes_are_not_known():
    picture = parsed(icicle([Directory("/store", 10**15), Directory("/hole", 0, hole=True)], "where"))
    [hole] = with_class(picture, "hole")
    assert float(hole.attrib["width"]) > 10
    assert hole.attrib["fill"] == "url(#hatching-960)"


def test_a_small_part_beside_a_large_one_can_be_seen():
    parts = with_class(parsed(share_bar([("big", "x", 10**9), ("small", "y", 1)], 10**9, "t")), "bar")
    assert float(parts[1].attrib["width"]) >= 1


def test_names_are_shown_and_never_interpreted():
    picture = sparkline([1], "<script>\n")
    assert "<script>" not in picture
    assert "&lt;script&gt;\\n" in picture


def test_no_number_without_a_place_gets_into_a_picture():
    for number in (math.nan, math.inf):
        with pytest.raises(ValueError, match="no place"):
            svg.text(number, 0, "x")


def test_a_legend_shows_what_the_chart_draws():
    assert with_class(parsed(swatch("missing")), "line")
    assert with_class(parsed(swatch("listing", bar=True)), "bar")
