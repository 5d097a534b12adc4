"""Laws of the S3 lister, whatever the keys: each is listed as what it is, or lies in a hole, and nothing else is."""

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Failed, File
from dynamo_consistency.listers.s3 import S3Lister
from dynamo_consistency.listers.s3 import lister as module
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Walk

TIME = datetime.datetime.fromtimestamp(1_600_000_000, datetime.UTC)
PAGE = 3


class Bucket:
    """The answers of an object store that has these keys, a few in each."""

    def __init__(self, keys: dict[str, int]) -> None:
        self.keys, self.requests = keys, 0

    def list_objects_v2(self, *, Bucket, Prefix, MaxKeys, EncodingType, Delimiter=None, ContinuationToken=""):  # noqa: N803 (the library's)
        self.requests += 1
        groups: dict[str, list[str]] = {}
        for key in sorted(self.keys):
            if key.startswith(Prefix):
                cut = key.find(Delimiter, len(Prefix)) if Delimiter else -1
                groups.setdefault(key if cut < 0 else key[: cut + 1], []).append(key)
        names = [name for name in groups if name > ContinuationToken]
        shown = names[:PAGE]
        whole = [
            name for name in shown if groups[name] == [name] and not (Delimiter and name[len(Prefix) :].endswith("/"))
        ]
        answer: dict[str, Any] = {
            "Prefix": Prefix,
            "IsTruncated": len(names) > PAGE,
            "KeyCount": len(shown),
            "Contents": [{"Key": name, "Size": self.keys[name], "LastModified": TIME} for name in whole],
            "CommonPrefixes": [{"Prefix": name} for name in shown if name not in whole],
        }
        return answer | ({"NextContinuationToken": shown[-1]} if answer["IsTruncated"] else {})


def lister_of(bucket: Bucket, prefix: str) -> S3Lister:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "connect", lambda *_: bucket)
        return S3Lister(f"s3://bucket/{prefix}", concurrency=1)


def listed(bucket: Bucket, prefix: str, shards: int) -> tuple[dict[bytes, File], set[bytes]]:
    """(files, holes) of all shards together."""
    files: dict[bytes, File] = {}
    holes: set[bytes] = set()
    for shard in range(shards):
        share = Share(shard, shards, 1)
        lister = lister_of(bucket, prefix)
        for visit in Walk(lister, [b"/s"], share, Limits(concurrency=2, retries=0)):
            path = visit.directory.path
            if isinstance(visit.answer, Failed):
                holes.add(path)
            elif share.records(visit.directory.depth):
                holes |= {paths.join(path, hole.name) for hole in visit.answer.holes}
                for file in visit.answer.files:
                    assert paths.join(path, file.name) not in files
                    files[paths.join(path, file.name)] = file
        lister.close()
    return files, holes


COMPONENT = st.sampled_from(["a", "b", "c", "a b", "a+b", "ü", "..", ".", "", "a.b", "%2F"])
KEYS = st.dictionaries(st.lists(COMPONENT, min_size=1, max_size=4).map("/".join), st.integers(0, 9), max_size=12).map(
    lambda keys: {f"s/{key}": size for key, size in keys.items()}
)


@given(KEYS, st.sampled_from(["", "data"]), st.integers(1, 2))
def test_every_key_is_listed_as_what_it_is_or_lies_in_a_hole(keys, prefix, shards):
    bucket = Bucket({f"{prefix}/{key}".lstrip("/"): size for key, size in keys.items()})
    files, holes = listed(bucket, prefix, shards)
    for key, size in keys.items():
        path = paths.normalise(b"/" + key.encode())
        if not key.endswith("/"):
            assert paths.is_in(path, holes) or (path in files and files[path].size == size), key
    assert {path.decode() for path in files} <= {f"/{key}" for key in keys}


@given(KEYS)
def test_what_is_plainly_a_path_is_no_hole_unless_a_neighbour_is_odd(keys):
    plain = {key: size for key, size in keys.items() if not {"", ".", ".."} & set(key.split("/"))}
    files, holes = listed(Bucket(plain), "", 1)
    assert set(files) == {b"/" + key.encode() for key in plain}
    assert holes == (set() if plain else {b"/s"})
