"""A snapshot has the rows of its stream, whatever forms their columns have."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import LABEL
from dynamo_consistency.check import Listing
from dynamo_consistency.run import snapshot
from dynamo_consistency.run.database import open_database
from dynamo_consistency.run.keys import Scope

SCOPE = Scope(Listing.model_validate({"roots": [{"path": "/in"}]}))
TEXTS = [None, "", "a", "é", "a" * 300]
LABELS = st.tuples(st.lists(st.sampled_from(TEXTS), max_size=6), st.sampled_from(["text", "label", "twice", "null"]))


def column(values: list[str | None], form: str) -> pa.Array:
    """As a text, or with a dictionary that may have values twice, or a null."""
    if form == "text":
        return pa.array(values, pa.string())
    words = [word for word in TEXTS if word is not None or form == "null"] * (2 if form == "twice" else 1)
    last = {word: number for number, word in enumerate(words)}
    return pa.DictionaryArray.from_arrays(pa.array([last.get(value) for value in values], pa.int32()), pa.array(words))


def batch(number: int, labels: list[str | None], form: str, **others: pa.Array) -> pa.RecordBatch:
    count = len(labels)
    paths = [b"/%s/%d-%d" % (b"out" if row % 3 == 2 else b"in", number, row) for row in range(count)]
    columns = {"path": pa.array(paths, pa.binary()), "size": pa.array(range(count), pa.int64())}
    columns |= {"time": pa.nulls(count, pa.int64()), "in_flight": pa.array([False] * count, pa.bool_())}
    columns |= {"dataset": column(labels, form), "block": pa.nulls(count, LABEL), "group": pa.nulls(count, pa.string())}
    return pa.RecordBatch.from_pydict(columns | others)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("snapshot") / "before.parquet")


@settings(max_examples=examples(200), deadline=None)
@given(parts=st.lists(LABELS, min_size=1, max_size=5))
def test_every_file_has_its_own_dataset_whatever_dictionaries_the_batches_have(file, parts):
    batches = [batch(number, *part) for number, part in enumerate(parts)]
    counts = snapshot._write(file, map(optional_features._in_form, batches), SCOPE)
    wanted = [(row["path"], row["size"], row["dataset"]) for some in batches for row in some.to_pylist()]
    with open_database(tables=False) as database:
        found = database.execute(f"SELECT path, size, dataset FROM '{file}'").fetchall()
    assert sorted(found) == sorted(wanted)
    assert counts["rows"] == len(wanted)


OWN = {
    "list": pa.array([[1], []]),
    "nothing": pa.nulls(2),
    "short dictionary": pa.array(["a", "b"]).cast(pa.dictionary(pa.int8(), pa.string())),
    "view": pa.array(["a", "b"], pa.string_view()),
    "struct": pa.array([{"a": 1}, None]),
}


@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
def test_a_column_of_a_backends_own_may_have_any_type(file, own):
    batches = [batch(number, ["a", None], "label", own=own) for number in range(2)]
    snapshot._write(file, map(optional_features._in_form, batches), SCOPE)
    assert pq.read_table(file)["own"].to_pylist() == own.to_pylist() * 2
