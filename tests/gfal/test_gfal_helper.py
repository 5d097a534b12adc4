"""What becomes of a helper that hangs, dies or talks nonsense; and of a machine without gfal2."""

import signal
import time

import pytest

from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.listers.gfal import GfalLister, process
from dynamo_consistency.listers.protocols import install_hint

READY = "say(ready='test')\n"
ENTRY = "['f', 0o100644, 8, 3, 1600000000]"


def test_an_answer_in_parts_is_put_together(helper, make_lister, ask):
    helper(READY + f"for _ in requests: say(entries=[{ENTRY}]); say(entries=[{ENTRY.replace('f', 'g')}]); say(end=2)")
    answer = ask(make_lister("srm://door/x"), b"/store")
    assert [each.name for each in answer.files] == [b"f", b"g"]


@pytest.mark.parametrize(
    "reply",
    [
        f"say(entries=[{ENTRY}]); say(end=2)",
        f"say(entries=[{ENTRY}]); sys.exit(0)",
        f"say(entries=[{ENTRY}]); os.kill(os.getpid(), signal.SIGSEGV)",
        "print('not JSON'); sys.stdout.flush()",
        "sys.stdout.write('{\"entries\": []'); sys.exit(3)",
    ],
)
def test_an_answer_that_is_not_whole_is_a_failure_and_the_next_request_has_a_new_process(
    helper, make_lister, ask, tmp_path, reply
):
    helper(READY + f"for r in requests:\n    if r['url'].endswith('bad'): {reply}\n    else: say(end=0)")
    lister = make_lister("srm://door/x")
    answer = ask(lister, b"/bad")
    assert isinstance(answer, Failed), answer
    assert answer.retry
    assert "has ended" in answer.reason
    assert ask(lister, b"/good") == Listed()


def test_the_signal_by_which_a_helper_ended_is_told(helper, make_lister, ask):
    helper(READY + "for _ in requests: os.kill(os.getpid(), signal.SIGSEGV)")
    assert f"(signal {int(signal.SIGSEGV)})" in ask(make_lister("srm://door/x"), b"/store").reason


def test_a_helper_that_hangs_is_killed_and_replaced(helper, make_lister, ask, children):
    before = children()
    helper(
        READY + "for r in requests: say(entries=[]); time.sleep(600 if r['url'].endswith('slow') else 0); say(end=0)"
    )
    lister = make_lister("srm://door/x", timeout=1)
    began = time.monotonic()
    answer = ask(lister, b"/slow")
    assert time.monotonic() - began < 60
    assert isinstance(answer, Failed)
    assert answer.retry
    assert answer.slow
    assert children() == before
    assert ask(lister, b"/quick") == Listed()
    assert len(children() - before) == 1


def test_nothing_is_left_running_after_close(helper, make_lister, ask, children):
    before = children()
    helper(READY + "for r in requests: time.sleep(600 if r['url'].endswith('slow') else 0); say(end=0)")
    lister = make_lister("srm://door/x", concurrency=2)
    assert ask(lister, b"/quick") == Listed()
    lister.submit(b"/slow", lambda _: None)
    lister.submit(b"/a/slow", lambda _: None)
    _until(lambda: len(children() - before) == 2)
    lister.close()
    _until(lambda: children() == before)


def _until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(2, (False, False)), (13, (False, False)), (110, (True, True)), (70, (True, False)), (16, (True, True))],
)
def test_what_may_pass_is_asked_for_again(helper, make_lister, ask, code, expected):
    helper(READY + f"for _ in requests: say(error={code}, reason='a\\n  reason')")
    retry, slow = expected
    answer = ask(make_lister("srm://door/x"), b"/store")
    assert answer == Failed(f"a reason (errno {code})", retry=retry, slow=slow)


def test_an_entry_whose_type_and_mode_contradict_each_other_is_a_hole(helper, make_lister, ask):
    helper(READY + "for _ in requests: say(entries=[['f', 0o40755, 8, 3, 1], ['d', 0o100644, 4, 0, 1]]); say(end=2)")
    answer = ask(make_lister("srm://door/x"), b"/store")
    assert [each.name for each in answer.holes] == [b"f", b"d"]


def test_a_listing_over_gridftp_that_was_cut_is_noticed_since_it_is_asked_for_twice(helper, make_lister, ask):
    more = ENTRY.replace("f", "g")
    helper(
        READY + f"for n, _ in enumerate(requests): say(entries=[{ENTRY}, {more}][: 1 if n == 1 else 2]); "
        "say(end=1 if n == 1 else 2)"
    )
    lister = make_lister("gsiftp://door/x")
    assert ask(lister, b"/store") == Failed("two answers differ", retry=True)
    assert len(ask(lister, b"/store").files) == 2


def test_without_a_time_a_file_is_of_unknown_age(helper, make_lister, ask):
    helper(READY + "for _ in requests: say(entries=[['f', 0o100644, 8, 3, 0], ['d', 0o40755, 4, 0, 0]]); say(end=2)")
    answer = ask(make_lister("srm://door/x"), b"/store")
    assert (answer.files.mtimes[0], answer.directories[0].mtime) == (None, None)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("srm://door/x", "n" * 255),
        ("root://door/x", "n" * 254),
        ("gsiftp://door/x", "\u00e9" * 128),
        ("davs://door/x", "a%20b"),
    ],
)
def test_a_name_that_gfal2_may_have_changed_puts_its_directory_in_doubt(helper, make_lister, ask, url, name):
    helper(READY + f"for _ in requests: say(entries=[[{name!r}, 0o100644, 8, 3, 1], {ENTRY}]); say(end=2)")
    assert isinstance(ask(make_lister(url), b"/store"), Failed)


@pytest.mark.parametrize("name", [b"a b", b"a?b", b"a#b", b"a%b", b"a\nb", b"\xff", "ä".encode()])
def test_a_name_that_a_protocol_may_read_otherwise_is_not_asked_for(helper, make_lister, ask, name):
    helper("sys.exit(1)")
    answer = ask(make_lister("srm://door/x"), b"/store/" + name)
    assert isinstance(answer, Failed)
    assert "signs" in answer.reason


@pytest.mark.parametrize("scheme", ["dav", "davs", "http", "https"])
def test_no_directory_is_removed_over_http_which_takes_all_that_is_in_it(helper, make_lister, scheme):
    helper(READY + "for _ in requests: say(end=0)")
    assert "all that is in it" in make_lister(f"{scheme}://door/x").remove_directory(b"/store/d")


def test_a_removal_that_ended_in_silence_is_no_success(helper, make_lister):
    helper(READY + "for _ in requests: sys.exit(1)")
    assert "has ended" in make_lister("srm://door/x").remove_directory(b"/store/d")


def test_without_gfal2_it_is_said_what_to_install(helper, make_lister, ask):
    helper("say(absent=\"No module named 'gfal2'\")")
    lister = make_lister("srm://door/x")
    with pytest.raises(ListingError, match="apt-get install python3-gfal2"):
        lister.prepare()
    assert ask(lister, b"/store") == Failed(
        f"{process.PYTHON} has no gfal2 (No module named 'gfal2'): {install_hint('gfal')}"
    )


def test_without_the_python_that_has_it_it_is_said_what_to_install(monkeypatch, make_lister):
    monkeypatch.setattr(process, "PYTHON", "/nowhere/python3")
    with pytest.raises(ListingError, match=r"/nowhere/python3, which is not here.*apt-get install"):
        make_lister("srm://door/x").prepare()


def test_a_protocol_without_its_plugin_is_said_to_be_unknown(helper, make_lister):
    helper(READY + "for _ in requests: say(error=93, reason='Protocol not supported')")
    with pytest.raises(ListingError, match="does not speak srm here: install its plugin"):
        make_lister("srm://door/x").prepare()


def test_a_door_that_fails_at_first_does_not_end_the_listing_at_once(helper, make_lister):
    helper(READY + "for _ in requests: sys.exit(1)")
    make_lister("srm://door/x").prepare()


@pytest.mark.parametrize(
    ("url", "better"), [("root://door", "xrootd"), ("davs://door", "webdav"), ("srm://door", None), ("file:///x", None)]
)
def test_where_there_is_a_lister_of_ours_it_is_named_in_the_log(helper, make_lister, caplog, url, better):
    helper(READY + "for _ in requests: say(end=0)")
    make_lister(url).prepare()
    assert [record.getMessage().split()[0] for record in caplog.records] == (
        [f"listing.source.{better}"] if better else []
    )


def test_an_expired_proxy_ends_it_before_anything_is_asked(helper, make_lister, monkeypatch):
    helper("sys.exit(1)")
    monkeypatch.setenv("X509_USER_PROXY", "/nowhere/proxy")
    with pytest.raises(ListingError, match="/nowhere/proxy"):
        make_lister("srm://door/x").prepare()


def test_what_is_no_url_is_refused():
    with pytest.raises(ConfigurationError, match="write scheme://door:port/prefix"):
        GfalLister("/mnt/site")


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("root://door:1094", "root://door:1094//store"),
        ("root://door:1094//", "root://door:1094//store"),
        ("root://door:1094/pnfs", "root://door:1094//pnfs/store"),
        ("root://door:1094//pnfs/", "root://door:1094//pnfs/store"),
        ("file:///", "file:///store"),
        ("srm://door:8446/srm/managerv2?SFN=/dpm/cms", "srm://door:8446/srm/managerv2?SFN=/dpm/cms/store"),
    ],
)
def test_url_and_lfn_are_joined(helper, make_lister, ask, url, asked):
    helper(READY + "for r in requests: say(entries=[[r['url'].replace('/', '|'), 0o100644, 8, 1, 1]]); say(end=1)")
    assert ask(make_lister(url), b"/store").files.names[0].decode().replace("|", "/") == asked
