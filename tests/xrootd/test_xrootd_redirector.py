"""A redirector: every data server is listed, and all of them or none."""

import pytest
from xrdclient.testing import frame

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Failed, File, Files, Hole, Listed, Subdirectory
from dynamo_consistency.listers.xrootd.redirector import merge
from dynamo_consistency.listers.xrootd.status import NotFound

DIRLIST, LOCATE = 3004, 3027
IS_MANAGER = 2
A, B, OLDER = File(b"a", 1, 50), File(b"b", 2, 60), File(b"a", 1, 40)


@pytest.mark.xrootd
def test_a_redirector_stands_for_all_its_data_servers(daemons, make_lister, ask) -> None:
    cluster = daemons.cluster("one", "two")
    cluster.wait_for(2)
    for name, server in cluster.servers.items():
        (server.store / "both").mkdir()
        (server.store / "both" / f"of-{name}").write_bytes(b"1")
        (server.store / "both" / "shared").write_bytes(b"22")
        (server.store / f"only-{name}").mkdir()
        (server.store / f"only-{name}" / "f").write_bytes(b"333")
    lister = make_lister(cluster.redirector.url)
    lister.prepare()
    assert {entry.name for entry in ask(lister, b"/store").directories} == {b"both", b"only-one", b"only-two"}
    both = ask(lister, b"/store/both")
    assert sorted((file.name, file.size) for file in both.files) == [(b"of-one", 1), (b"of-two", 1), (b"shared", 2)]
    assert [file.name for file in ask(lister, b"/store/only-two").files] == [b"f"]
    missing = ask(lister, b"/store/none")
    assert isinstance(missing, Failed)
    assert not missing.retry
    lister.verify()

    cluster.join("three")
    cluster.wait_for(3)
    with pytest.raises(ListingError, match=f"a data server joined {cluster.redirector.url} during the listing"):
        lister.verify()
    assert isinstance(ask(lister, b"/store/both"), Failed)

    again = make_lister(cluster.redirector.url, timeout=2)
    again.prepare()
    cluster.servers["one"].stop()
    dead = ask(again, b"/store/both")
    assert isinstance(dead, Failed)
    assert dead.retry
    assert str(cluster.servers["one"].port) in dead.reason


def test_a_dead_redirector_is_found_out_at_the_start(make_lister, closed_door) -> None:
    with pytest.raises(ListingError, match="no XRootD door answers"):
        make_lister(closed_door, timeout=5).prepare()


def test_a_redirector_that_does_not_name_its_data_servers_is_found_out_at_the_start(fake, make_lister) -> None:
    fake.flags = IS_MANAGER
    fake.handlers[LOCATE] = lambda *_: iter(())
    with pytest.raises(ListingError, match="does not say which data servers it has"):
        make_lister(str(fake.url), timeout=2).prepare()


def test_a_door_that_calls_itself_a_redirector_but_has_the_names_is_asked_itself(fake, make_lister, ask) -> None:
    fake.flags = IS_MANAGER
    fake.handlers[DIRLIST] = lambda _, stream, *__: iter([frame(stream, 0, b".\n0 0 0 0\nf\n0 3 16 100\0")])
    lister = make_lister(str(fake.url))
    lister.prepare()
    assert ask(lister, b"/store/x").files == Files.of([File(b"f", 3, 100)])


def test_what_one_server_does_not_have_another_may() -> None:
    assert merge([NotFound("no"), Listed(files=Files.of([A]))]) == Listed(files=Files.of([A]))
    assert isinstance(merge([NotFound("no"), NotFound("no")]), NotFound)


@pytest.mark.parametrize("retry", [True, False])
def test_one_server_that_fails_fails_the_directory(retry: bool) -> None:
    assert merge([Listed(files=Files.of([A])), Failed("broken", retry), NotFound("no")]) == Failed("broken", retry)


def test_a_final_failure_counts_more_than_one_that_may_pass() -> None:
    assert merge([Failed("passes", retry=True, slow=True), Failed("stays")]) == Failed("stays", slow=True)


def test_entries_of_all_servers_are_united_and_the_younger_time_counts() -> None:
    one = Listed(files=Files.of([OLDER, B]), directories=[Subdirectory(b"d", 5)])
    two = Listed(files=Files.of([A]), directories=[Subdirectory(b"d", 9), Subdirectory(b"e", 1)])
    united = merge([one, two])
    assert sorted(united.files) == [A, B]
    assert sorted(entry[:2] for entry in united.directories) == [(b"d", 9), (b"e", 1)]


KINDS = {File: "files", Subdirectory: "directories", Hole: "holes"}


@pytest.mark.parametrize("other", [File(b"a", 2, 50), Subdirectory(b"a", 50), Hole(b"a", "odd")])
def test_servers_that_disagree_about_a_name_make_a_hole_of_it(other: object) -> None:
    there = Listed(**{KINDS[type(other)]: Files.of([other]) if isinstance(other, File) else [other]})
    here = Listed(files=Files.of([A]))
    for answers in ([here, there], [there, here]):
        united = merge(answers)
        assert [hole.name for hole in united.holes] == [b"a"]
        assert not united.files
        assert not united.directories
