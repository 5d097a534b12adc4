"""What our backend reads at a site, by name and by path."""

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Known


def rows(rucio, site, **settings) -> dict[str, dict]:
    """Name → row of the stream, which has the very form that the engine expects."""
    batches = list(optional_features.stream(rucio.backend(**settings), site.name))
    found = [row for batch in batches for row in batch.to_pylist()]
    assert len({row["name"] for row in found}) == len(found)
    return {row["name"]: row for row in found}


def known(rucio, site, path: bytes) -> Known | None:
    """What a look-up says of one file."""
    return rucio.backend().inventory.look_up(site.name, [path]).get(path)
