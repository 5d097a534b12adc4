"""Configurations as they are found: each becomes checks that run, and leave alone what was left alone before."""

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from predecessor_files import DYNAMO, VALUES, config_map, rce

OLD = 1_600_000_000
ORPHAN = "/store/mc/y/P/AODSIM/v1-v1/f"


class Shape(NamedTuple):
    """A file, a site of it, and where files of it are: those of the inventory, and those that were left alone."""

    tool: str
    config: object
    site: str
    expected: dict[str, str]
    left_alone: tuple[str, ...] = ()


RELATIVE = {"scanner": {"server": "a", "server_root": "/pnfs/a/store/", "remove_prefix": "/", "add_prefix": "/store/"}}
DATASET = "/P/AODSIM/v1-v1/f"
PLAIN = {f"/store/mc/x{DATASET}": f"/store/mc/x{DATASET}"}
SHAPES = {
    "the file of RCE": Shape("rce", rce(), "T2_A", PLAIN),
    "ignored directories": Shape(
        "rce", rce(ignore_list=["/store/mc/SAM"]), "T2_A", PLAIN, (f"/store/mc/SAM{DATASET}",)
    ),
    "a root with what is before its LFN": Shape(
        "rce",
        rce(
            {"scanner": {"server": "a", "roots": [{"path": "/dcache/disk/store/mc"}], "remove_prefix": "/dcache/disk"}}
        ),
        "T2_A",
        {f"/store/mc/x{DATASET}": f"/dcache/disk/store/mc/x{DATASET}"},
    ),
    "the server's root twice": Shape(
        "rce",
        rce({"scanner": {"server": "a", "server_root": "/pnfs/a", "roots": [{"path": "/pnfs/a/store/mc"}]}}),
        "T2_A",
        {f"/store/mc/x{DATASET}": f"/pnfs/a/store/mc/x{DATASET}"},
    ),
    "relative roots": Shape(
        "rce",
        rce(RELATIVE) | {"rses": {"*": {"scanner": {"roots": [{"path": "mc"}]}}, "T2_A": RELATIVE}},
        "T2_A",
        {f"/store/mc/x{DATASET}": f"/pnfs/a/store/mc/x{DATASET}"},
    ),
    "the whole store": Shape(
        "rce",
        rce({"scanner": {"server": "a", "roots": [{"path": "/store"}]}}),
        "T2_A",
        PLAIN,
        (f"/store/unmerged/x{DATASET}",),
    ),
    "a scratch area beside": Shape(
        "rce",
        rce({"scanner": {"server": "a", "roots": [{"path": "/store/mc"}, {"path": "/store/unmerged"}]}}),
        "T2_A",
        PLAIN,
        (f"/store/unmerged/x{DATASET}",),
    ),
    "values": Shape("rce", VALUES, "T2_A", PLAIN, (f"/store/mc/SAM{DATASET}",)),
    "dynamo-consistency": Shape("dynamo-consistency", DYNAMO, "T2_A", PLAIN),
    "texts anywhere": Shape(
        "dynamo-consistency", DYNAMO | {"IgnoreDirectories": ["RAW"]}, "T2_A", PLAIN, (f"/store/mc/aRAWb{DATASET}",)
    ),
    "directories and a scratch area": Shape(
        "dynamo-consistency",
        DYNAMO | {"DirectoryList": ["mc", "unmerged"]},
        "T2_A",
        PLAIN,
        (f"/store/unmerged/x{DATASET}",),
    ),
    "everything": Shape(
        "dynamo-consistency",
        DYNAMO | {"RootPath": "/", "DirectoryList": ["store"], "PathPrefix": {"T2_A": "/cms"}},
        "T2_A",
        {f"/store/mc/x{DATASET}": f"/cms/store/mc/x{DATASET}"},
    ),
}


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (OLD, OLD))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_becomes_a_check_that_runs_and_is_no_less_careful(convert, command, tmp_path, shape):
    documents = shape.config if isinstance(shape.config, list) else [shape.config]
    text = json.dumps(shape.config) if shape.tool == "dynamo-consistency" else yaml.safe_dump_all(documents)
    spec = convert(shape.tool, text).checks[shape.site]["spec"]
    site = tmp_path / "site"
    for path in shape.expected.values():
        put(Path(f"{site}{path}"))
    prefix = spec["listing"]["source"]["xrootd"].get("prefix", "")
    for lfn in (*shape.left_alone, ORPHAN):
        put(Path(f"{site}{prefix}{lfn}"))
    spec["listing"] |= {"source": {"posix": {"prefix": f"{site}{prefix}"}}, "shards": 1}
    (tmp_path / "check.json").write_text(
        json.dumps(
            {
                "apiVersion": "consistency.dynamo.io/v1alpha1",
                "kind": "SiteConsistencyCheck",
                "metadata": {"name": "t2-a"},
                "spec": spec,
            }
        )
    )
    (tmp_path / "inventory").write_text("".join(f"{lfn}\n" for lfn in shape.expected))
    (tmp_path / "protected").write_text("# none\n")
    entry = {"inventory": {"url": str(tmp_path / "inventory"), "format": "paths"}}
    entry |= {"protected": str(tmp_path / "protected")}
    backends = {"default": {"type": "file", "requests": str(tmp_path / "requests"), "sites": {"T2_A": entry}}}
    (tmp_path / "backends.yaml").write_text(json.dumps({"backends": backends}))
    given = ("--backends", tmp_path / "backends.yaml", "--store", tmp_path / "store", "--output", "json")
    result = command("run", "-f", tmp_path / "check.json", *given)
    assert result.code == 0, result.notes
    counts = json.loads(result.stdout)["counts"]
    assert (counts["missing"], counts["orphans"], counts["inventoryFiles"]) == (0, 1, len(shape.expected))


@pytest.mark.parametrize(
    ("plain", "wrapped"),
    [
        (rce(), config_map("c", yaml.safe_dump(rce()))),
        (rce(), {"kind": "List", "items": [config_map("c", yaml.safe_dump(rce())), {"kind": "Service"}]}),
        (VALUES, {"kind": "HelmRelease", "spec": {"values": VALUES}}),
        (VALUES, config_map("v", yaml.safe_dump(VALUES))),
        (rce(ignore_list=["/store/mc/a", "/store/mc/b"]), rce(ignore_list="/store/mc/a, /store/mc/b")),
    ],
)
def test_what_is_wrapped_in_resources_is_read_as_it_is(convert, plain, wrapped):
    assert convert("rce", yaml.safe_dump(wrapped)).checks == convert("rce", yaml.safe_dump(plain)).checks != {}
