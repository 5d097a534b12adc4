"""One damaged file of one run: it is named, the run counts as not complete, and everything else goes on."""

import json

GARBAGE = ['{"site": "T2_Test", "runI', "", "[]", "\x00" * 64, "{}", '{"result": "Complete"}']


def run(sandbox):
    return json.loads(sandbox.run("run", "-f", "check.yaml", "--output", "json"))


def history(sandbox):
    return {row["runId"]: row["result"] for row in json.loads(sandbox.run("history", "T2_Test", "--output", "json"))}


def test_a_garbled_summary_hides_no_other_run(drifted):
    first, second = run(drifted)["runId"], run(drifted)["runId"]
    for garbage in GARBAGE:
        (drifted.store / "T2_Test" / first / "summary.json").write_text(garbage)
        assert history(drifted) == {first: "Unreadable", second: "Complete"}, garbage
        assert f"run {first} of T2_Test counts as not complete" in drifted.complaint
    text = drifted.run("history", "T2_Test")
    assert "Unreadable" in text
    assert second in text
    assert len(drifted.run("findings", "T2_Test", "--kind", "missing").splitlines()) == 3
    drifted.run("history", "prune", "T2_Test")
    assert run(drifted)["result"] == "Complete"


DAMAGED = ["inventory/before.json", "findings/missing.parquet"]


def test_a_damaged_file_of_an_old_run_stops_nothing(drifted):
    damaged = {name: run(drifted)["runId"] for name in DAMAGED}
    for name, run_id in damaged.items():
        (drifted.store / "T2_Test" / run_id / name).write_bytes(b"PAR1 and then nothing that is right")
    last = run(drifted)
    assert last["result"] == "Complete"
    assert f"run {damaged['inventory/before.json']} of T2_Test counts as not complete" in drifted.complaint
    drifted.run("history", "T2_Test")
    lost = drifted.run("findings", "T2_Test", "--kind", "missing").splitlines()[0]
    rows = json.loads(drifted.run("history", "T2_Test", lost, "--output", "json"))
    assert last["runId"] in {row["runId"] for row in rows}
    assert f"run {damaged['findings/missing.parquet']} of T2_Test counts as not complete" in drifted.complaint
    drifted.run("history", "prune", "T2_Test")


ENFORCED = """\
  policy:
    missing: {mode: Enforce, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}
    health: {minListedFraction: "0"}
"""


def confirmed(summary):
    [gate] = [gate for gate in summary["gates"] if gate["name"] == "Confirmation"]
    return gate["state"] == "Ready"


def test_findings_that_cannot_be_read_confirm_nothing(drifted):
    drifted.check.write_text(drifted.check.read_text() + ENFORCED)
    damaged = run(drifted)["runId"]
    (drifted.store / "T2_Test" / damaged / "findings" / "missing.parquet").write_bytes(b"PAR1 garbled")
    second = run(drifted)
    assert f"run {damaged} of T2_Test counts as not complete" in drifted.complaint
    assert not confirmed(second)
    assert confirmed(run(drifted))


def test_findings_that_are_damaged_are_named_as_such(drifted):
    run_id = run(drifted)["runId"]
    file = drifted.store / "T2_Test" / run_id / "findings/missing.parquet"
    whole = file.read_bytes()
    middle = len(whole) // 2
    for garbage in (b"", b"PAR1 and then nothing", whole[:-1], whole[:4] + bytes(middle) + whole[middle + 4 :]):
        file.write_bytes(garbage)
        for output in ("text", "json", "csv"):
            drifted.run("findings", "T2_Test", "--kind", "missing", "--output", output, exit_code=1)
            assert drifted.complaint.startswith(f"{file} is damaged: ")


def test_a_run_that_was_killed_is_shown_as_unfinished(drifted):
    complete = run(drifted)["runId"]
    killed = drifted.store / "T2_Test" / "20200101T000000Z-t2-test"
    killed.mkdir()
    (killed / "check.yaml").write_text((drifted.store / "T2_Test" / complete / "check.yaml").read_text())
    assert history(drifted) == {killed.name: "Unfinished", complete: "Complete"}
    assert "Unfinished" in drifted.run("history", "T2_Test")


def test_a_store_that_is_a_file_is_not_called_empty(drifted):
    (drifted.folder / "file").write_text("no store")
    for command in (
        ["history", "T2_Test"],
        ["findings", "T2_Test", "--kind", "orphan"],
        ["history", "prune", "T2_Test"],
    ):
        drifted.run(*command, "--store", "file", store=False, exit_code=1)
        assert "the store file cannot be read: Not a directory" in drifted.complaint
