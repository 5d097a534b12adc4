"""What the engine makes of a backend: the laws of the stream, whatever the backend offers."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency import paths, secrets
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import INVENTORY_COLUMNS, LABEL, Known
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.keys import KEY_COLUMNS

SITE = "T2_TEST"
NAMES = st.one_of(st.binary(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
TIMES = st.one_of(st.none(), st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)))
FILES = st.lists(st.tuples(NAMES, st.integers(0, 2**62), TIMES), max_size=20)


def backend_of(**inventory):
    return SimpleNamespace(inventory=SimpleNamespace(protected_datasets=lambda site: set(), **inventory))


def streaming(*batches):
    return backend_of(list_files=lambda site: [], stream=lambda site: iter(batches))


@given(files=FILES)
def test_every_file_of_a_list_is_in_the_stream_with_its_size_and_time(files):
    rows = [
        row
        for batch in optional_features.stream(backend_of(list_files=lambda site: files), SITE)
        for row in batch.to_pylist()
    ]
    assert [(row["path"], row["size"]) for row in rows] == [(paths.to_bytes(name), size) for name, size, _ in files]
    for row, (_, _, time) in zip(rows, files, strict=True):
        assert row["time"] == (None if time is None else int(time.replace(tzinfo=UTC).timestamp()))
        assert row["in_flight"] is False
        assert row["dataset"] is row["block"] is row["group"] is None


@given(files=FILES)
def test_a_stream_as_tuples_is_the_list_again(files):
    tuples = optional_features.tuples(optional_features.stream(backend_of(list_files=lambda site: files), SITE))
    placed = [(name, size) for name, size, _ in files if _leads_somewhere(paths.to_bytes(name))]
    assert [(paths.to_bytes(name), size) for name, size, _ in tuples] == [(paths.to_bytes(n), s) for n, s in placed]


def _leads_somewhere(path: bytes) -> bool:
    """Rule 14 of docs/explanation/rules.md: what is relative, has dots or blanks around a name is at no known place."""
    names = path.split(b"/")[1:]
    plain = all(name not in (b".", b"..") and name == _stripped(name) for name in names)
    return path.startswith(b"/") and plain


def _stripped(name: bytes) -> bytes:
    """Without blanks, line ends and signs without a width around it."""
    return name.decode("utf-8", "surrogateescape").strip(_BLANKS).encode("utf-8", "surrogateescape")


_BLANKS = "".join(sign for sign in map(chr, range(0x10000)) if sign.isspace()) + "\0\u200b\u200c\u200d\u2060\ufeff"


@pytest.mark.parametrize("blank", _BLANKS)
@pytest.mark.parametrize("form", ["/a/{}n", "/a/n{}", "/a{}/n", "/{}a/n"])
def test_a_name_with_any_blank_around_it_is_at_no_known_place(form, blank):
    rows = batch_in_form().set_column(0, "path", pa.array([form.format(blank).encode()], pa.binary()))
    assert optional_features.placed(rows).num_rows == 0


@pytest.mark.parametrize("name", ["/a/n\u00a0m", "/caf\u00e9/\u0420/\u2026", "/a/\u4e2d\u6587", "/\u00ff/x"])
def test_a_name_of_other_signs_is_where_it_says(name):
    rows = batch_in_form().set_column(0, "path", pa.array([name.encode()], pa.binary()))
    assert optional_features.placed(rows).num_rows == 1


def test_a_long_list_comes_in_batches_and_a_generator_is_never_held_whole():
    drawn = []

    def list_files(site):
        for number in range(optional_features.BATCH_ROWS * 2 + 1):
            drawn.append(number)
            yield f"/store/{number}", number, None

    batches = optional_features.stream(backend_of(list_files=list_files), SITE)
    assert next(batches).num_rows == len(drawn) == optional_features.BATCH_ROWS
    assert [batch.num_rows for batch in batches] == [optional_features.BATCH_ROWS, 1]


def test_a_time_without_a_zone_is_utc():
    berlin = timezone(timedelta(hours=1))
    files = [("/a", 1, datetime(2026, 1, 1, 12)), ("/b", 1, datetime(2026, 1, 1, 13, tzinfo=berlin))]
    (batch,) = optional_features.stream(backend_of(list_files=lambda site: files), SITE)
    assert batch["time"].to_pylist() == [1767268800, 1767268800]


@pytest.mark.parametrize(
    "file",
    [
        ("/a", 1),
        ("/a", "1", None),
        ("/a", 1, 1767268800),
        (None, 1, None),
        "/a",
    ],
)
def test_a_file_of_another_form_is_an_error(file):
    good = ("/store/a", 1, None)
    with pytest.raises(BackendError, match="the inventory of T2_TEST could not be read: "):
        list(optional_features.stream(backend_of(list_files=lambda site: [good, file, good]), SITE))


@pytest.mark.parametrize("size", [2**63, 2**70, -(2**70)])
def test_a_size_that_does_not_fit_is_unknown(size):
    (batch,) = optional_features.stream(backend_of(list_files=lambda site: [("/a", size, None), ("/b", 1, None)]), SITE)
    assert batch["size"].to_pylist() == [None, 1]


@pytest.mark.parametrize("error", [OSError("lost"), ValueError("x"), StopIteration(), MemoryError()])
def test_a_list_that_breaks_off_is_an_error(error):
    def list_files(site):
        yield "/store/a", 1, None
        raise error

    with pytest.raises(BackendError):
        list(optional_features.stream(backend_of(list_files=list_files), SITE))


def test_an_interruption_stays_an_interruption():
    def list_files(site):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(optional_features.stream(backend_of(list_files=list_files), SITE))


def test_an_error_shows_no_secret():
    secrets.remember("hunter2")

    def list_files(site):
        raise OSError("postgres://me:swordfish@db refused hunter2")

    with pytest.raises(BackendError) as told:
        list(optional_features.stream(backend_of(list_files=list_files), SITE))
    assert "postgres://me:***@db refused ***" in str(told.value)


def batch_of(**columns):
    """A batch as a backend might make it: types and order of its own."""
    plain = {
        "group": pa.array(["g"]),
        "path": pa.array(["/store/a"]),
        "size": pa.array([1], pa.int32()),
        "time": pa.array([None], pa.null()),
        "in_flight": pa.array([True]),
        "dataset": pa.array(["d"], pa.large_string()),
        "block": pa.array(["b"]).dictionary_encode(),
        "checksum": pa.array(["ad:1"]),
    }
    return pa.RecordBatch.from_pydict({name: array for name, array in (plain | columns).items() if array is not None})


def test_a_stream_has_the_columns_of_the_contract_first_and_its_own_after_them():
    (batch,) = optional_features.stream(streaming(batch_of()), SITE)
    ours = INVENTORY_COLUMNS.set(INVENTORY_COLUMNS.get_field_index("block"), pa.field("block", LABEL))  # as it came
    assert batch.schema == pa.schema([*ours, pa.field("checksum", pa.string())])
    assert batch.to_pylist() == [
        {
            "path": b"/store/a",
            "size": 1,
            "time": None,
            "in_flight": True,
            "dataset": "d",
            "block": "b",
            "group": "g",
            "checksum": "ad:1",
        }
    ]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"dataset": None, "size": None}, "the stream lacks the column size, dataset"),
        ({"in_flight": pa.array([None], pa.bool_())}, "the column in_flight has nulls"),
        ({"mtime": pa.array([1])}, "the stream has a column mtime, a name that a run gives to something else"),
        *(
            ({field.name: pa.array([1])}, f"the stream has a column {field.name}, a name that a run gives")
            for field in KEY_COLUMNS
        ),
        ({"size": pa.array(["many"])}, "ArrowInvalid"),
    ],
)
def test_a_batch_of_another_form_is_an_error(columns, reason):
    with pytest.raises(BackendError, match=reason):
        list(optional_features.stream(streaming(batch_of(**columns)), SITE))


@pytest.mark.parametrize("column", ["size", "time"])
def test_a_number_of_a_stream_that_does_not_fit_is_unknown(column):
    (batch,) = optional_features.stream(streaming(batch_of(**{column: pa.array([2**63], pa.uint64())})), SITE)
    assert batch[column].to_pylist() == [None]
    (batch,) = optional_features.stream(streaming(batch_of(**{column: pa.array([2**63 - 1], pa.uint64())})), SITE)
    assert batch[column].to_pylist() == [2**63 - 1]


def test_a_file_whose_path_nobody_knows_is_in_a_stream_and_in_nothing_that_is_made_of_it():
    row = batch_of(path=pa.array([None], pa.binary()))
    (batch,) = optional_features.stream(streaming(row), SITE)
    assert batch["path"].to_pylist() == [None]
    assert list(optional_features.tuples([batch])) == []
    assert optional_features.look_up(streaming(row), SITE, [b"/store/a"]) == {}


def test_a_file_in_flight_has_changed_just_now_for_those_who_read_tuples():
    before = datetime.now(UTC)
    ((name, size, time),) = optional_features.tuples([batch_in_form()])
    assert (name, size) == ("/store/a", -1)
    assert before <= time <= datetime.now(UTC)


def batch_in_form():
    (batch,) = optional_features.stream(streaming(batch_of(size=pa.array([None], pa.int64()))), SITE)
    return batch


def test_a_look_up_reads_the_inventory_where_nothing_better_is_offered():
    files = [("/a", 1, None), ("/b", 2, None), ("/c", 3, None)]
    backend = backend_of(list_files=lambda site: files)
    assert optional_features.look_up(backend, SITE, [b"/c", b"/x", b"/a"]) == {
        b"/a": Known(1, False, None),
        b"/c": Known(3, False, None),
    }


def test_what_a_backend_does_not_offer_is_not_known():
    backend = SimpleNamespace(registry=SimpleNamespace(), __name__="mine")
    assert optional_features.sources(backend, SITE, []) is None
    assert optional_features.listing_source(backend, SITE) is None
    assert optional_features.describe(backend) == "backend mine"
