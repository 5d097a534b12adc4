"""Runs whose end somebody is told of, by `notify:` in backends.yaml: the real command, and a real webhook."""

import json

import pytest
from enforcing import POLICY
from notice_servers import refusing_port, webhook

NAMES = [f"/store/mc/Era/Primary/AOD/v1/0000/file_{number}.root" for number in range(6)]


@pytest.fixture
def hook():
    with webhook() as hook:
        yield hook


@pytest.fixture
def told(sandbox, hook):
    """The site has lost two of its files, and is listed; runs are told of at `hook`."""
    for name in NAMES[2:]:
        sandbox.put(name, 10)
    sandbox.age_directories()
    sandbox.import_inventory(dict.fromkeys(NAMES, 10))
    (sandbox.folder / "urls").write_text(hook.url)
    notify = {"urlsFile": str(sandbox.folder / "urls")}
    backend = {"type": "dynamo", "url": f"sqlite:///{sandbox.store}/inventory.sqlite"}
    (sandbox.folder / "backends.yaml").write_text(json.dumps({"backends": {"default": backend}, "notify": notify}))
    return sandbox


def run(sandbox, *arguments, **options):
    return sandbox.run("run", "-f", "check.yaml", "--backends", "backends.yaml", *arguments, **options)


def test_a_wanted_approval_is_told_with_the_command_that_gives_it_and_so_are_requests(told, hook):
    told.run("inventory", "import", "T1_Elsewhere", "files.tsv")
    told.check.write_text(told.check.read_text() + POLICY + "    approval: Required\n")
    run(told)
    assert hook.subjects == [], "the first run only waits for more runs"
    summary = json.loads(run(told, "--output", "json"))
    assert hook.subjects == [f"T2_Test: run {summary['runId']} waits for approval"]
    lines = hook.received[0]["message"].splitlines()
    (look,) = [line for line in lines if line.startswith("Look: dynamo-consistency findings T2_Test ")]
    assert told.run(*look.split()[2:], store=False).splitlines() == NAMES[:2]
    (command,) = [line for line in lines if line.startswith("Approve: dynamo-consistency ")]
    told.run(*command.split()[2:], store=False)
    assert hook.subjects[1:] == [f"T2_Test: 2 transfers requested by run {summary['runId']}"]
    told.run(*command.split()[2:], store=False)
    assert len(hook.subjects) == 2, "to approve it again requests nothing more"


def test_a_gate_is_told_when_it_closes_and_each_run_that_fails(told, hook):
    strict = '  policy: {missing: {maxCount: 0}, health: {minListedFraction: "0"}, approval: Never}\n'
    told.check.write_text(told.check.read_text() + strict)
    first = json.loads(run(told, "--output", "json"))["runId"]
    run(told)
    assert hook.subjects == [f"T2_Test: gate Limits closed in run {first}"], "it stays closed in the second"
    for name in NAMES[2:]:
        told.remove(name)
    run(told, exit_code=1)
    assert hook.subjects[1].endswith("is invalid")
    (told.store / "inventory.sqlite").write_text("no database")
    run(told, exit_code=1)
    assert hook.subjects[2] == "T2_Test: the run has failed"
    assert "What to do: find out why" in hook.received[2]["message"]
    assert f"Look: dynamo-consistency history T2_Test --store {told.store}" in hook.received[2]["message"]
    with refusing_port() as port:
        (told.folder / "urls").write_text(f"json://user:tokenofours@127.0.0.1:{port}/hook-of-secrets")
        run(told, exit_code=1)
    (line,) = [line for line in told.complaint.splitlines() if "notification" in line]
    assert "Connection refused" in line
    assert "tokenofours" not in told.complaint
