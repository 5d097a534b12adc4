"""The run directory, on a local path and on an object store: what is there is whole."""

from datetime import UTC, datetime

import fsspec
import pytest

from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.run.store.run_directory import CHECK, RunDirectory, RunStore, new_run_id


def test_a_run_keeps_the_check_that_it_began_with(store, check):
    run = store.create(check, "1")
    edited = check.model_copy(update={"spec": check.spec.model_copy(update={"jitter_seconds": 5})})
    store.create(edited, "1")
    assert run.check() == check
    assert (run.site, run.run_id) == ("T2_X", "1")


def test_the_check_of_a_run_is_read_once(store, check):
    run = store.create(check, "1")
    read = run.check()
    run.remove(CHECK)
    assert run.check() is read


def test_runs_are_found_by_site_and_in_the_order_of_their_ids(store, check):
    assert store.sites() == []
    assert store.runs("T2_X") == []
    for run_id in ("20261122T030000Z", "20261115T030000Z"):
        store.create(check, run_id)
    assert store.sites() == ["T2_X"]
    assert [run.run_id for run in store.runs("T2_X")] == ["20261115T030000Z", "20261122T030000Z"]
    assert store.runs("T2_Y") == []


def test_a_folder_without_a_check_is_no_run(store, check):
    store.create(check, "1").write_text("../2/summary.json", "{}")
    assert [run.run_id for run in store.runs("T2_X")] == ["1"]
    with pytest.raises(ConfigurationError, match=r"is not a run directory: it has no check\.yaml"):
        store.run("T2_X", "2").check()


def test_two_runs_of_one_second_have_two_ids(store, check):
    assert store.create(check).run_id != store.create(check).run_id


def test_an_id_of_a_run_by_hand_is_its_time_in_utc_and_its_check():
    assert new_run_id("t2-x", datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)) == "20261122T030000Z-t2-x"


def test_what_is_written_can_be_read(run):
    run.write_json("inventory/before.json", {"rows": 5, "name": "größe"})
    run.write_text("reports/note.txt", "caf\udcff\n")
    with run.writing("reports/bytes") as path:
        path.write_bytes(b"\x00\xff\n")
    assert run.read_json("inventory/before.json") == {"rows": 5, "name": "größe"}
    with run.reading("reports/note.txt") as path:
        assert path.read_bytes() == b"caf\xff\n"
    with run.reading("reports/bytes") as path:
        assert path.read_bytes() == b"\x00\xff\n"
    assert run.names("reports") == ["reports/bytes", "reports/note.txt"]
    assert run.names("listing") == []


def test_a_file_is_not_there_until_it_is_whole(run):
    with run.writing("findings/missing.parquet") as path:
        path.write_bytes(b"half")
        assert not run.exists("findings/missing.parquet")
        assert run.names("findings") == []
    assert run.names("findings") == ["findings/missing.parquet"]


def test_a_writer_that_fails_leaves_what_was_there_before(run):
    run.write_text("reports/missing.txt", "before")

    def fail_in_the_middle() -> None:
        with run.writing("reports/missing.txt") as path:
            path.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_in_the_middle()
    with run.reading("reports/missing.txt") as path:
        assert path.read_text() == "before"
    assert run.names("reports") == ["reports/missing.txt"]


def test_what_another_process_writes_is_seen_at_once(run, store):
    assert not run.exists("listing/shard-0000.json")
    assert run.names("listing") == []
    elsewhere = store.run("T2_X", "1")
    elsewhere.write_json("listing/shard-0000.json", {})
    assert run.exists("listing/shard-0000.json")
    assert run.names("listing") == ["listing/shard-0000.json"]
    elsewhere.write_json("listing/shard-0001.json", {})
    assert run.names("listing") == ["listing/shard-0000.json", "listing/shard-0001.json"]


def test_files_and_folders_are_removed_whether_they_are_there_or_not(run):
    run.write_text("reports/a.txt", "a")
    run.write_text("reports/b.txt", "b")
    run.write_text("summary.json", "{}")
    run.remove("reports", "nowhere", "summary.json")
    assert run.names("reports") == []
    assert not run.exists("summary.json")
    assert run.exists(CHECK)


def test_what_is_not_there_cannot_be_read_and_the_sentence_says_what_is_lacking(run):
    with pytest.raises(ConsistencyError, match=r"has no summary\.json: the stage that writes it"):
        run.read_json("summary.json")


def test_a_store_of_an_unknown_kind_is_refused():
    with pytest.raises(ConfigurationError, match="cannot be used"):
        RunStore("nowhere://bucket/store").sites()


def test_a_bucket_that_does_not_exist_is_one_sentence(s3, check):
    with pytest.raises(ConsistencyError, match=r"cannot write to s3://no-such-bucket"):
        RunStore("s3://no-such-bucket/store").create(check, "1")


def test_an_object_store_that_does_not_answer_is_one_sentence(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(ConsistencyError, match=f"the store {s3}/T2_X/1 cannot be used: Could not connect"):
        RunDirectory(f"{s3}/T2_X/1").exists(CHECK)


def test_a_password_in_the_address_of_a_store_is_not_shown(s3):
    with pytest.raises(ConsistencyError, match="cannot be used") as refused:
        RunDirectory("s3://other:pa55word@consistency/store/T2_X/1").exists(CHECK)
    assert "pa55word" not in str(refused.value)


def test_a_stamp_is_another_one_when_a_file_is_written_anew(run):
    assert run.stamp("summary.json") is None
    run.write_json("summary.json", {"result": "Complete"})
    first = run.stamp("summary.json")
    assert first == run.stamp("summary.json")
    run.write_json("summary.json", {"result": "Complete", "reason": ""})
    assert run.stamp("summary.json") not in (None, first)


def test_the_contents_of_what_is_not_there_are_none(run):
    run.write_text("reports/missing.txt", "/store/caf\udcff\n")
    assert run.contents("reports/missing.txt") == b"/store/caf\xff\n"
    assert run.contents("reports/orphan.txt") is None
    assert run.contents("reports/missing.txt/x") is None
