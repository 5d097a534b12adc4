"""Looking files up by name: the report of blocks, and where else a file is."""

import pytest

from dynamo_consistency.errors import ConfigurationError

LONG = b"/store/" + b"x" * 600
SEVEN_BIT_AND_BEYOND = b"/store/" + bytes(set(range(1, 256)) - set(b"\n"))


@pytest.fixture
def report(world, tmp_path):
    """Writes a list of names, and returns the lines of the report on it."""

    def make(*names: bytes) -> list[str]:
        infile, outfile = tmp_path / "missing.txt", tmp_path / "blocks.txt"
        infile.write_bytes(b"".join(name + b"\n" for name in names))
        world.backend().filelist_to_blocklist("T2_HERE", str(infile), str(outfile))
        return outfile.read_text().splitlines()

    return make


def test_the_worst_datasets_come_first_and_their_blocks_by_name(world, report):
    site, group = world.site("T2_HERE"), world.group("DataOps")
    names = []
    for dataset, blocks in (("/FEW/E-v1/AOD", {"b": 1}), ("/MANY/E-v1/AOD", {"z": 1, "a": 2})):
        dataset_id = world.dataset(dataset)
        for block, count in blocks.items():
            block_id = world.block(dataset_id, block)
            world.replica(block_id, site, group if block != "z" else 0)
            names += [f"/store{dataset}/{block}/{number}".encode() for number in range(count)]
            for number in range(count):
                world.file(block_id, f"/store{dataset}/{block}/{number}".encode())
    assert report(*names) == [
        "         2    DataOps            /MANY/E-v1/AOD#a",
        "         1    Unsubscribed       /MANY/E-v1/AOD#z",
        "         1    DataOps            /FEW/E-v1/AOD#b",
    ]


def test_names_that_the_inventory_has_forgotten_count_for_the_dataset_in_their_name(world, report):
    world.site("T2_HERE")
    assert report(b"/store/mc/Era/Prim/AOD/x-v1/1/f.root", b"/short") == [
        "         1    Unsubscribed       /Prim/Era-x-v1/AOD#unknown",
        "         1    Unsubscribed       unknown#unknown",
    ]


def test_a_replica_at_another_site_gives_no_group_here(world, report):
    world.site("T2_HERE")
    block = world.block(world.dataset("/A"), "b")
    world.replica(block, world.site("T2_OTHER"), world.group("DataOps"))
    world.file(block, b"/store/a")
    assert report(b"/store/a") == ["         1    Unsubscribed       /A#b"]


@pytest.mark.parametrize(
    "name", ["/store/日本.root".encode(), b"/store/\xff\xfe", SEVEN_BIT_AND_BEYOND, b"/store/%s $() 'q' \\ \"", LONG]
)
def test_any_bytes_can_be_looked_up(world, report, name):
    world.site("T2_HERE")
    if name is not LONG:
        world.file(world.block(world.dataset("/A"), "b"), name)
    expected = "unknown#unknown" if name is LONG else "/A#b"
    assert report(name) == [f"         1    Unsubscribed       {expected}"]
    assert world.backend().registry.sources("T2_HERE", [name.decode("utf-8", "surrogateescape")])[0] != []


def test_a_name_with_a_space_at_its_end_is_not_the_name_without(world, report):
    world.site("T2_HERE")
    world.file(world.block(world.dataset("/A"), "b"), b"/store/a")
    assert report(b"/store/a ", b"/store/A") == ["         2    Unsubscribed       unknown#unknown"]


def test_more_names_than_one_look_up_takes_are_all_counted(world, report):
    world.site("T2_HERE")
    block = world.block(world.dataset("/A"), "b")
    for number in range(3):
        world.file(block, f"/store/{number}".encode())
    assert report(*[f"/store/{number}".encode() for number in range(1201)]) == [
        "      1198    Unsubscribed       unknown#unknown",
        "         3    Unsubscribed       /A#b",
    ]


def test_a_list_that_cannot_be_read_is_named(embedded, tmp_path):
    embedded.site("T2_HERE")
    with pytest.raises(ConfigurationError, match=r"nowhere\.txt: cannot be read: No such file"):
        embedded.backend().filelist_to_blocklist("T2_HERE", f"{tmp_path}/nowhere.txt", f"{tmp_path}/out")


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        (("ready", "disk", 1, True, False), "has a source"),
        (("ready", "disk", 1, False, True), "has a source"),
        (("ready", "disk", 1, False, False), "nowhere"),
        (("ready", "disk", 0, True, False), "nowhere"),
        (("morgue", "disk", 1, True, False), "nowhere"),
        (("waitroom", "disk", 1, True, False), "nowhere"),
        (("ready", "mss", 1, True, False), "on tape"),
        (("morgue", "mss", 1, True, False), "nowhere"),
        (("ready", "buffer", 1, True, False), "nowhere"),
        (("ready", "unknown", 1, True, False), "nowhere"),
    ],
)
def test_a_source_is_a_claimed_copy_on_disk_at_a_ready_site(embedded, copy, expected):
    status, storage, group, complete, claimed = copy
    here, other = embedded.site("T2_HERE"), embedded.site("T1_OTHER", status, storage)
    block = embedded.block(embedded.dataset("/A"), "b")
    file = embedded.file(block, b"/store/a")
    embedded.replica(block, here, 1)
    embedded.replica(block, other, group, complete)
    if claimed:
        embedded.claim(block, other, file)
    no_disk, nowhere = embedded.backend().registry.sources("T2_HERE", ["/store/a"])
    assert {"has a source": ([], []), "on tape": (["/store/a"], []), "nowhere": (["/store/a"], ["/store/a"])}[
        expected
    ] == (no_disk, nowhere)


def test_files_without_source_come_in_the_order_given(world):
    here, group = world.site("T2_HERE"), world.group("g")
    kept, taped = world.block(world.dataset("/A"), "disk"), world.block(world.dataset("/B"), "tape")
    world.file(kept, b"/store/kept")
    world.file(taped, b"/store/taped")
    world.replica(kept, world.site("T1_DISK"), group)
    world.replica(taped, world.site("T1_TAPE", storage="mss"), group)
    world.replica(kept, here, group)
    asked = ["/store/z", "/store/taped", "/store/kept", "/store/a"]
    assert world.backend().registry.sources("T2_HERE", asked) == (
        ["/store/z", "/store/taped", "/store/a"],
        ["/store/z", "/store/a"],
    )


@pytest.mark.mariadb
def test_in_2018_only_complete_replicas_are_sources(make_world):
    world = make_world("production")
    world.site("T2_HERE")
    block = world.block(world.dataset("/A"), "b")
    world.file(block, b"/store/a")
    world.replica(block, world.site("T1_DISK"), world.group("g"), complete=False)
    assert world.backend().registry.sources("T2_HERE", ["/store/a"]) == (["/store/a"], ["/store/a"])
