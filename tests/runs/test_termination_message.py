"""What a worker leaves where its pod ends: short, whole, without credentials, however the process ended."""

import json
import signal
import subprocess
import time

import pytest
from effort import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynamo_consistency import secrets
from dynamo_consistency.checkfile import read_check
from dynamo_consistency.cli import main
from dynamo_consistency.run import pipeline
from dynamo_consistency.run import termination_message as messages
from dynamo_consistency.run.termination_message import LIMIT, SETTING, TerminationMessage

text = st.text(st.characters(), max_size=500)
number = st.integers(-(10**15), 10**15)
gates = st.fixed_dictionaries(dict.fromkeys(("name", "state", "observed", "limit", "message"), text))
reasons = st.dictionaries(text, number, max_size=8)
actions = st.fixed_dictionaries({"requested": number, "skipped": reasons, "refused": reasons})
summaries = st.fixed_dictionaries(
    {"counts": st.dictionaries(text, number, max_size=20)},
    optional={
        "result": st.sampled_from(["Complete", "Invalid"]),
        "reason": text,
        "gates": st.lists(gates, max_size=7),
        "actions": st.dictionaries(text, actions, max_size=5),
        "holes": st.lists(st.fixed_dictionaries({"path": text, "reason": text}), max_size=5),
        "artifacts": st.dictionaries(text, text, max_size=10),
        "unmerged": st.fixed_dictionaries({"trouble": text}),
    },
)


@settings(max_examples=examples(40))
@given(summary=summaries, sentence=text, run_id=text)
@example(summary={"counts": {}}, sentence="half a character: \ud800", run_id="1")
def test_a_message_is_short_and_whole_whatever_it_is_about(tmp_path_factory, summary, sentence, run_id):
    file = tmp_path_factory.getbasetemp() / "message"
    message = TerminationMessage()
    message.begin("action", run_id)
    message.summary(summary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETTING, str(file))
        message.write(1, sentence, "Failed")
    written = file.read_bytes()
    said = json.loads(written.decode("utf-8"))
    assert len(written) <= LIMIT
    assert written.count(b"\n") == 1
    assert (said["stage"], said["exitCode"], said["result"]) == ("action", 1, "Failed")


@pytest.fixture
def written(tmp_path, monkeypatch):
    def write(message: TerminationMessage, *end: object) -> dict:
        monkeypatch.setenv(SETTING, str(tmp_path / "message"))
        message.write(*end)
        return json.loads((tmp_path / "message").read_text())

    return write


def test_where_there_is_no_room_numbers_stay_longest(written):
    message = TerminationMessage()
    message.begin("comparison", "29412180")
    gate = {"name": "Limits", "state": "Rejected", "observed": "1", "limit": "0", "message": "much too many " * 40}
    message.summary(
        {
            "result": "Complete",
            "reason": "",
            "counts": {"missing": 7, "holes": 3000, "roots": {}},
            "gates": [gate] * 7,
            "holes": [{"path": "/store/" + "x" * 300, "reason": "y" * 900}] * 3,
        }
    )
    said = written(message, 0, "", None)
    assert said["counts"] == {"missing": 7, "holes": 3000}
    assert [gate["state"] for gate in said["gates"]] == ["Rejected"] * 7
    assert len(said["gates"][0]["message"].encode()) <= 100
    assert said["holes"]["number"] == 3000


def test_a_secret_is_not_in_a_message_nor_is_a_part_of_it(written, monkeypatch):
    monkeypatch.setattr(secrets, "_known", set())
    secrets.remember("pa55word" * 100)
    message = TerminationMessage()
    message.begin("snapshot", "1")
    said = written(message, 1, f"login with {'pa55word' * 100} at mysql://me:hush@db/x failed", "Failed")
    assert said["message"] == "login with *** at mysql://me:***@db/x failed"


def test_a_name_that_is_no_text_is_shown_as_in_reports(written):
    message = TerminationMessage()
    message.begin("listing", "1", shard=3)
    message.holes(1, [{"path": "/store/\udcff\n", "reason": "cannot be read"}])
    assert written(message, 0, "", None)["holes"]["first"][0]["path"] == "/store/\\xff\\n"


def test_a_message_that_cannot_be_written_is_a_line_in_the_log(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(SETTING, str(tmp_path / "nowhere" / "message"))
    TerminationMessage().write(0, "", None)
    assert "the termination message cannot be written" in caplog.text


def test_without_a_file_there_is_no_message(monkeypatch):
    monkeypatch.delenv(SETTING, raising=False)
    monkeypatch.setattr(messages, "_fitted", lambda _: pytest.fail("something was made"))
    TerminationMessage().write(0, "", None)


class Stages:
    """The stages of one run, as Jobs run them, and what each leaves."""

    def __init__(self, sandbox, monkeypatch):
        self.sandbox, self.directory = sandbox, sandbox.store / "T2_Test" / "29412180"
        self.file = sandbox.folder / "termination-log"
        monkeypatch.chdir(sandbox.folder)
        monkeypatch.setattr(signal, "signal", lambda *_: None)  # SIGTERM stays the test runner's
        monkeypatch.setenv(SETTING, str(self.file))
        monkeypatch.setenv("DYNAMO_CONSISTENCY_CHECK", self.check())

    def check(self, **changes) -> str:
        data = read_check(self.sandbox.check).model_dump(mode="json", by_alias=True)
        data["spec"] |= changes
        return json.dumps(data)

    def run(self, stage: str, *arguments: str, exit_code: int = 0) -> dict:
        """The message of a stage in this process, which must end with `exit_code`."""
        self.file.write_text("")
        with pytest.raises(SystemExit) as ended:
            main(["stage", stage, "--run-dir", str(self.directory), *arguments])
        assert ended.value.code == exit_code
        return json.loads(self.file.read_text())


@pytest.fixture
def stages(drifted, monkeypatch):
    return Stages(drifted, monkeypatch)


@pytest.fixture
def early_stages(sandbox, monkeypatch):
    return Stages(sandbox, monkeypatch)


def test_every_stage_of_a_run_says_what_it_did(stages, monkeypatch):
    snapshot = stages.run("snapshot")
    assert snapshot["counts"] == {"inventoryFiles": 200, "inventoryBytes": sum(100 + number for number in range(200))}
    assert {key: snapshot[key] for key in ("stage", "runId", "exitCode", "result", "message")} == {
        "stage": "snapshot",
        "runId": "29412180",
        "exitCode": 0,
        "result": "Complete",
        "message": "",
    }
    shards = []
    for shard in range(3):
        monkeypatch.setenv("JOB_COMPLETION_INDEX", str(shard))
        shards.append(stages.run("listing"))
    assert [shard["shard"] for shard in shards] == [0, 1, 2]
    assert sum(shard["counts"]["files"] for shard in shards) == 199
    comparison = stages.run("comparison")
    assert {kind: comparison["counts"][kind] for kind in ("missing", "orphans", "mismatches", "emptyDirectories")} == {
        "missing": 3,
        "orphans": 2,
        "mismatches": 1,
        "emptyDirectories": 1,
    }
    assert [gate["name"] for gate in comparison["gates"]][:3] == ["Inventory", "ListingHealth", "Limits"]
    assert comparison["artifacts"]["report"] == "reports/report.html"
    action = stages.run("action")
    assert (action["stage"], action["result"], action["actions"]) == ("action", "Complete", {})
    assert action["gates"]


def test_a_run_that_proves_nothing_says_why(stages, drifted):
    stages.run("snapshot")
    for shard in range(3):
        stages.run("listing", "--shard", str(shard))
    drifted.import_inventory({"/store/mc/elsewhere": 1})
    (stages.directory / "listing" / "shard-0001.json").unlink()
    said = stages.run("comparison", exit_code=1)
    assert (said["result"], said["exitCode"]) == ("Invalid", 1)
    assert "shard" in said["message"]


def test_a_stage_that_fails_says_why(stages, drifted):
    stages.run("snapshot")
    (drifted.folder / "site").rename(drifted.folder / "elsewhere")
    said = stages.run("listing", exit_code=1)
    assert (said["stage"], said["shard"], said["result"]) == ("listing", 0, "Failed")
    assert "not mounted" in said["message"]


def test_a_snapshot_that_fails_says_why(stages, monkeypatch):
    stages.directory = stages.directory.parent.parent / "T2_Other" / "1"
    monkeypatch.setenv("DYNAMO_CONSISTENCY_CHECK", stages.check(site="T2_Other"))
    said = stages.run("snapshot", exit_code=1)
    assert (said["stage"], said["result"]) == ("snapshot", "Failed")
    assert "knows no site 'T2_Other'" in said["message"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "DYNAMO_CONSISTENCY_CHECK: is not valid JSON"),
        ("{}", "DYNAMO_CONSISTENCY_CHECK:1: spec: is missing"),
    ],
)
def test_a_check_in_the_environment_that_is_none_is_a_matter_of_configuration(early_stages, monkeypatch, given, words):
    monkeypatch.setenv("DYNAMO_CONSISTENCY_CHECK", given)
    said = early_stages.run("snapshot", exit_code=2)
    assert (said["exitCode"], said["result"]) == (2, "Failed")
    assert words in said["message"]


def test_the_check_in_the_environment_is_that_of_the_run_and_of_its_site(stages, monkeypatch):
    monkeypatch.setenv("DYNAMO_CONSISTENCY_CHECK", stages.check(site="T2_Other"))
    assert (
        "is a run of T2_Test, but DYNAMO_CONSISTENCY_CHECK checks T2_Other"
        in stages.run("snapshot", exit_code=2)["message"]
    )
    monkeypatch.setenv("DYNAMO_CONSISTENCY_CHECK", stages.check())
    stages.run("snapshot")
    monkeypatch.setenv("DYNAMO_CONSISTENCY_CHECK", stages.check(jitterSeconds=7))
    stages.run("snapshot")
    assert read_check(stages.directory / "check.yaml").spec.jitter_seconds == 0


def test_wrong_usage_leaves_a_message_as_well(early_stages):
    said = early_stages.run("listing", "--shards", "4", exit_code=2)
    assert said["exitCode"] == 2
    assert "No such option" in said["message"]


def test_what_was_not_foreseen_leaves_a_message_as_well(stages, monkeypatch):
    stages.run("snapshot")
    monkeypatch.setattr(pipeline, "absent_shards", lambda *_: {}["surprise"])
    said = stages.run("comparison", exit_code=1)
    assert said["result"] == "Failed"
    assert said["message"].startswith("unexpected KeyError: 'surprise'")


def test_a_pod_that_is_told_to_end_says_so_and_leaves_nothing_half_written(stages, drifted, monkeypatch):
    slow = stages.check()
    spec = json.loads(slow)["spec"]
    monkeypatch.setenv(
        "DYNAMO_CONSISTENCY_CHECK", stages.check(listing=spec["listing"] | {"maxRequestsPerSecond": 1, "shards": 1})
    )
    stages.run("snapshot")
    arguments = [drifted.command, "stage", "listing", "--run-dir", str(stages.directory)]
    with subprocess.Popen(
        arguments, cwd=drifted.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not list(stages.directory.glob("listing/.tmp-*")):
            assert time.monotonic() < deadline, "the listing never began"
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in complaint
    said = json.loads(stages.file.read_text())
    assert (said["stage"], said["exitCode"], said["result"]) == ("listing", 130, "Failed")
    assert "interrupted" in said["message"]
    assert list(stages.directory.glob("listing/*")) == []
    assert list(stages.directory.rglob(".tmp-*")) == []
