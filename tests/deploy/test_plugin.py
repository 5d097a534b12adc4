"""`kubectl consistency`: what a site needs is told; what is asked for reaches kubectl, for one check and one run."""

import getpass
import json
import os
import pty
import runpy
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import yaml
from consistency_operator import names
from consistency_operator.resource import reasons
from reachable_statuses import reachable
from rendered_manifests import REPOSITORY
from sample_checks import RUN, WAITING, changed

PLUGIN = REPOSITORY / "deploy/plugin/kubectl-consistency"
RECORDER = """#!/bin/sh
for argument in "$@"; do echo "$argument"; done >> "$RECORD"
case " $* " in *" get "*) cat "$ANSWER";; *) echo done;; esac
"""


class Terminal:
    """Types commands where a recording kubectl has these checks."""

    def __init__(self, folder: Path) -> None:
        self.record, self.answer = folder / "record", folder / "answer"
        kubectl = folder / "kubectl"
        kubectl.write_text(RECORDER)
        kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
        self.env = {"PATH": f"{folder}:{os.environ['PATH']}", "RECORD": str(self.record), "ANSWER": str(self.answer)}
        self.has(WAITING)

    def has(self, *checks: dict[str, Any]) -> None:
        self.answer.write_text(json.dumps({"items": checks}))

    def type(self, *arguments: str, exit_code: int = 0, stdin: int = subprocess.DEVNULL) -> str:
        """What is printed, with complaints."""
        self.record.write_text("")
        done = subprocess.run(
            [PLUGIN, *arguments],
            env=os.environ | self.env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def changes(self) -> list[str]:
        """The arguments of kubectl after those of the first call, which asks."""
        said = self.record.read_text().splitlines()
        return said[said.index("--output=json") + 1 :]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


CHANGE = ["t2-de-rwth", "--namespace=grid", f"--field-manager={getpass.getuser()}"]
KIND = f"{names.PLURAL}.{names.API_GROUP}"


class TestApprove:
    def test_the_run_that_waits_is_approved_under_the_persons_name(self, terminal):
        said = terminal.type("approve", "T2_DE_RWTH", RUN)
        assert terminal.changes() == ["annotate", KIND, *CHANGE, "--overwrite", f"{names.ANNOTATION_APPROVE}={RUN}"]
        assert "1200 orphans" in said

    def test_another_run_is_not(self, terminal):
        assert f"the run that waits is {RUN}" in terminal.type("approve", "t2-de-rwth", "29412179", exit_code=1)
        assert terminal.changes() == []

    def test_without_a_person_who_answers_the_run_must_be_named(self, terminal):
        assert f"t2-de-rwth {RUN}" in terminal.type("approve", "t2-de-rwth", exit_code=1)
        assert terminal.changes() == []

    @pytest.mark.parametrize(("answer", "exit_code"), [(RUN, 0), ("yes", 1), ("", 1)])
    def test_a_person_types_the_id_of_the_run(self, terminal, answer, exit_code):
        keyboard, screen = pty.openpty()
        os.write(keyboard, f"{answer}\n".encode())
        said = terminal.type("approve", "t2-de-rwth", exit_code=exit_code, stdin=screen)
        os.close(keyboard)
        os.close(screen)
        assert "1200 orphans exceed 1000" in said
        assert bool(terminal.changes()) is (exit_code == 0)

    @pytest.mark.parametrize("run", [None, {"id": RUN, "stage": "Listing"}])
    def test_what_nobody_can_have_seen_is_not_approved(self, terminal, run):
        terminal.has(changed(status={"run": run}))
        assert "does not wait for an approval" in terminal.type("approve", "t2-de-rwth", RUN, exit_code=1)
        assert terminal.changes() == []


class TestWhich:
    def test_a_site_with_several_checks_wants_the_name_of_one(self, terminal):
        terminal.has(WAITING, changed(metadata={"name": "other"}))
        said = terminal.type("approve", "T2_DE_RWTH", RUN, exit_code=1)
        assert "t2-de-rwth -n grid, other -n grid" in said
        assert terminal.changes() == []

    @pytest.mark.parametrize("command", ["approve", "run", "suspend", "resume", "explain"])
    def test_an_unknown_site_is_told(self, terminal, command):
        assert "no check or site T2_XX" in terminal.type(command, "T2_XX", exit_code=1)

    def test_contexts_and_namespaces_reach_kubectl(self, terminal):
        terminal.type("list", "-n", "grid", "--context", "mine", "--kubeconfig", "file")
        said = terminal.record.read_text().splitlines()
        assert said == ["--context=mine", "--kubeconfig=file", "get", KIND, "--namespace=grid", "--output=json"]
        terminal.type("list", "-A")
        assert "--all-namespaces" in terminal.record.read_text()
        terminal.type("-n", "grid", "--context=mine", "list")
        said = terminal.record.read_text().splitlines()
        assert said == ["--context=mine", "get", KIND, "--namespace=grid", "--output=json"]

    def test_what_kubectl_cannot_do_is_its_own_complaint(self, terminal):
        terminal.answer.unlink()
        assert "answer" in terminal.type("list", exit_code=1)

    def test_a_kubectl_that_cannot_be_started_is_told_in_a_sentence(self, terminal, tmp_path):
        terminal.env["PATH"] = f"{tmp_path}/empty:{Path(sys.executable).parent}"
        assert "no kubectl on the PATH" in terminal.type("list", exit_code=1)
        (tmp_path / "kubectl").chmod(0o644)
        terminal.env["PATH"] = f"{tmp_path}:{Path(sys.executable).parent}"
        assert "Permission denied" in terminal.type("list", exit_code=1)


class TestBrokenOff:
    def test_no_answer_is_no_approval(self, terminal):
        keyboard, screen = pty.openpty()
        os.write(keyboard, b"\x04")  # Ctrl-D
        assert "nothing is approved" in terminal.type("approve", "t2-de-rwth", exit_code=1, stdin=screen)
        os.close(keyboard)
        os.close(screen)
        assert terminal.changes() == []

    def test_a_full_disk_is_told_in_a_sentence(self, terminal):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [PLUGIN, "list"],
                env=os.environ | terminal.env,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.stderr == "kubectl consistency: [Errno 28] No space left on device\n"

    def test_who_reads_the_first_line_alone_sees_no_complaint(self, terminal):
        terminal.has(*(changed(metadata={"name": f"check-{number}"}) for number in range(3000)))
        line = ["sh", "-c", f"{PLUGIN} list | head -1"]
        done = subprocess.run(line, env=os.environ | terminal.env, capture_output=True, text=True, check=True)
        assert done.stdout.startswith("CHECK")
        assert done.stderr == ""


class TestRunAndSuspend:
    def test_a_run_is_asked_for_by_another_moment_each_time(self, terminal):
        terminal.has(changed(status={"run": None}))
        moments = set()
        for _ in range(2):
            terminal.type("run", "t2-de-rwth")
            *command, wanted = terminal.changes()
            assert command == ["annotate", KIND, *CHANGE, "--overwrite"]
            moments.add(wanted)
        assert len(moments) == 2
        assert all(moment.startswith(f"{names.ANNOTATION_REQUESTED_AT}=20") for moment in moments)

    def test_a_run_that_waits_for_an_approval_is_not_ended_unasked(self, terminal):
        assert "waits for an approval" in terminal.type("run", "t2-de-rwth", exit_code=1)
        assert terminal.changes() == []
        terminal.type("run", "t2-de-rwth", "--replace")
        assert terminal.changes()[0] == "annotate"

    def test_who_has_no_name_here_is_recorded_by_uid(self):
        script = runpy.run_path(str(PLUGIN))
        for error in (KeyError("getpwuid(): uid not found"), OSError("No username set in the environment")):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(getpass, "getuser", Mock(side_effect=error))
                assert script["person"]() == f"uid-{os.getuid()}"

    @pytest.mark.parametrize(("command", "suspended"), [("suspend", True), ("resume", False)])
    def test_a_check_is_suspended_and_resumed(self, terminal, command, suspended):
        terminal.type(command, "T2_DE_RWTH")
        *arguments, patch = terminal.changes()
        assert arguments == ["patch", KIND, *CHANGE, "--type=merge"]
        assert json.loads(patch.removeprefix("--patch=")) == {"spec": {"suspend": suspended}}

    def test_who_keeps_the_check_in_git_is_warned(self, terminal):
        terminal.has(changed(metadata={"labels": {"kustomize.toolkit.fluxcd.io/name": "sites"}}))
        assert "kept in git" in terminal.type("suspend", "t2-de-rwth")
        assert "kept in git" not in terminal.type("approve", "t2-de-rwth", RUN)


class TestTold:
    def test_what_needs_somebody_is_listed_first(self, terminal):
        well = changed(metadata={"name": "a-site"}, status={"run": None})
        terminal.has(well, WAITING)
        head, first, second = terminal.type("list").splitlines()
        assert head.split() == ["CHECK", "SITE", "RUN", "RESULT", "MISSING", "ORPHANS", "NEXT", "LOOK", "AT"]
        assert first.startswith("t2-de-rwth")
        assert first.endswith("AwaitingApproval")
        assert second.endswith("-")

    def test_a_site_is_explained_with_its_gates_and_the_next_step(self, terminal):
        said = terminal.type("explain", "T2_DE_RWTH")
        assert "AwaitingApproval: 1200 orphans, 1000 allowed" in said
        assert "Limits   Pending   1200 orphans exceed 1000" in said
        assert f"kubectl consistency approve t2-de-rwth {RUN} -n grid" in said

    def test_a_check_that_no_operator_has_seen_is_told(self, terminal):
        terminal.has(changed(metadata={"generation": 4}))
        assert "the operator has not seen this spec yet" in terminal.type("explain", "t2-de-rwth")

    def test_names_from_a_site_cannot_steer_the_terminal(self, terminal):
        terminal.has(changed(status={"run": {**WAITING["status"]["run"], "message": "\x1b[2Jgone"}}))
        said = terminal.type("explain", "t2-de-rwth")
        assert "\x1b" not in said
        assert "\\x1b[2Jgone" in said

    @pytest.mark.parametrize("spec", ["armed", "suspended", "refused"])
    def test_whatever_the_operator_writes_is_told(self, terminal, spec):
        checks = reachable(spec)
        for number, check in enumerate(checks):
            check["metadata"] = check["metadata"] | {"name": f"check-{number}"}
        terminal.has(*checks)
        lines = terminal.type("list").splitlines()[1:]
        assert len(lines) == len(checks)
        for check in checks:
            failed = [
                one for one in check["status"]["conditions"] if one["type"] == "Succeeded" and one["status"] == "False"
            ]
            (line,) = [line for line in lines if line.split()[0] == check["metadata"]["name"]]
            assert not failed or not line.endswith(" -"), line
        for check in checks[:: max(1, len(checks) // 5)]:
            assert "check-" in terminal.type("explain", check["metadata"]["name"])

    def test_next_steps_are_for_reasons_that_there_are(self):
        script = runpy.run_path(str(PLUGIN))
        of_conditions = (reasons.Ready, reasons.Overlapping, reasons.Running, reasons.Succeeded)
        assert script["NEXT_STEPS"].keys() - {"NotSeen"} <= {reason for known in of_conditions for reason in known}
        assert script["APPROVE"] == names.ANNOTATION_APPROVE
        assert script["REQUESTED_AT"] == names.ANNOTATION_REQUESTED_AT
        assert script["KIND"] == KIND


def test_krew_installs_this_plug_in(tmp_path):
    """The manifest is the one that deploy/plugin/make_krew.py writes, and its archive has what it names."""
    script = runpy.run_path(str(PLUGIN.with_name("make_krew.py")))
    package = script["archive"](tmp_path)
    text = PLUGIN.with_name("consistency.yaml").read_text()
    assert text == script["manifest"](package), "run: python deploy/plugin/make_krew.py DIR"
    manifest = yaml.safe_load(text)
    (platform,) = manifest["spec"]["platforms"]
    assert manifest["metadata"]["name"] == PLUGIN.name.removeprefix("kubectl-")
    assert platform["uri"].endswith(f"/{package.name}")
    with zipfile.ZipFile(package) as content:
        assert [file["from"] for file in platform["files"]] == content.namelist()
        assert content.read(platform["bin"]) == PLUGIN.read_bytes()
        assert content.getinfo(platform["bin"]).external_attr >> 16 & 0o111 == 0o111
