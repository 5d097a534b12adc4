"""How much is where is counted in bulk as it is path by path, and as `storage.json` shows it."""

import pyarrow as pa
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.run.listing.usage import LEVELS, Usage

NAMES = st.sampled_from([b"a", b"ab", b"\xff", b"caf\xc3\xa9", b"\xc3", b"x\ny", b"\\x41", b"\xed\xa0\x80", b" ", b"'"])
ROOTS = st.sampled_from([b"/", b"/a", b"/caf\xc3\xa9/a", b"/\xff"])
SIZES = st.sampled_from([0, 7, (1 << 62) - 1, None])
BELOW = st.lists(st.lists(NAMES, min_size=1, max_size=5), max_size=6)


@settings(max_examples=examples(500), deadline=None)
@given(root=ROOTS, below=BELOW, times=st.sampled_from([1, 5]), size=SIZES, first_alone=st.booleans())
def test_what_is_counted_in_bulk_is_what_is_counted_path_by_path(root, below, times, size, first_alone):
    files = [root.rstrip(b"/") + b"/" + b"/".join(names) for names in below for _ in range(times)]
    wanted: dict[bytes, tuple[int, int]] = {}
    for path in files:
        names = path[len(paths.subtree(root)[0]) :].split(b"/")[:-1][:LEVELS]
        place = paths.join(root, b"/".join(names)) if names else root
        known = wanted.get(place, (0, 0))
        wanted[place] = known[0] + 1, known[1] + (size or 0)
    usage = Usage([root])
    alone = 1 if first_alone else 0
    for path in files[:alone]:
        usage.add(root, path.rpartition(b"/")[0] or b"/", 1, size or 0)
    column = pa.array([b"/left/out", *files], pa.binary())[1 + alone :]
    usage.add_column(root, column, pa.array([size] * len(column), pa.int64()))
    assert usage.of == wanted
