"""What RCE and we say of an RSE: each with its own programs, in the words of the table in `rce_cases.py`."""

import gzip
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rce_cases import CASES, Case, directory, path
from rce_scene import Scene

OURS = Path(sys.executable).with_name("dynamo-consistency")
PART = """\
rses:
  "*":
    npartitions: 8
    scanner: {{server: "127.0.0.1:{port}", server_root: /, remove_prefix: /, add_prefix: /, recursion: 1, nworkers: 8,
              timeout: 3600, roots: [{{path: /store/mc}}, {{path: /store/data}}]}}
    ignore_list: [/store/mc/ignored/TTJets/RAW]
  {rse}: {{}}
"""
CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: side-by-side}}
spec:
  site: {rse}
  listing: {{roots: [{{path: /store/mc}}, {{path: /store/data}}]}}
  comparison: {{ignoreAgeSeconds: 86400, ignore: ["/RAW"]}}
  policy:
    missing: {{mode: Enforce, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}}
    orphans: {{mode: Enforce, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}}
    mismatches: {{mode: Enforce, maxFraction: "1", confirmRuns: 2, confirmSpanSeconds: 0}}
    emptyDirectories: {{mode: Enforce, method: protocol, confirmRuns: 2, confirmSpanSeconds: 0}}
    health: {{maxHoleFraction: "1"{lenient}}}
"""
KINDS = {"missing": "missing", "orphans": "orphan", "mismatches": "mismatch", "emptyDirectories": "empty_directory"}

Lists = Mapping[str, list[bytes]]
"""What is said → the names of which it is said."""


class Rce:
    """The stages of `site_cmp3.sh` up to the comparison: its options, CMS' settings, and the real catalogue."""

    def __init__(self, programs: Path, scene: Scene, folder: Path) -> None:
        self.programs, self.scene, self.folder = programs, scene, folder
        (folder / "rce.yaml").write_text(PART.format(port=scene.door.port, rse=scene.rse.name))
        database = scene.rucio.server.database.replace("+psycopg:", "+psycopg2:")
        (folder / "rucio.cfg").write_text(f"[database]\ndefault = {database}\n")

    def lists(self) -> Lists:
        self.dump("B")
        assert self.scan() == (0, set())
        self.dump("A")
        self._run("rce_cmp5", "-z", "-s", "stats.json", "BM", "BD", "R", "AM", "AD", "D.list", "M.list")
        found = {"missing": "M.list.gz", "dark": "D.list.gz", "empty directory": "ED.list.gz"}
        said = {kind: gzip.decompress((self.folder / file).read_bytes()).splitlines() for kind, file in found.items()}
        ran = [directory(case) for case in CASES if b"$" in path(case)] if (self.folder / "RAN").exists() else []
        return {**said, "the command is run": ran}

    def dump(self, name: str) -> None:
        lists = ("-f", f"A:{name}M", "-f", f"*:{name}D", "-r", "counts.json")
        self._run("rce_db_dump", "-z", "-d", "rucio.cfg", *lists, "-s", "stats.json", "-S", name)

    def scan(self) -> tuple[int, set[str]]:
        """Its exit code, and the directories that it has given up. With any code but 0 the script ends.

        Without the script's `-s`: to keep its statistics, it may sleep for a minute when it is done.
        """
        done = self._run("rce_scan", "-z", "-o", "R", "-r", "counts.json", "-E", "1", "-e", "ED.list.gz", check=False)
        lines = done.stdout.decode().splitlines()
        return done.returncode, {line.removeprefix("Gave up: ") for line in lines if line.startswith("Gave up: ")}

    def _run(self, program: str, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
        configured = ("-c", "rce.yaml") if program != "rce_cmp5" else ()
        rse = (self.scene.rse.name,) if program != "rce_cmp5" else ()
        command = [self.programs / program, *configured, *arguments, *rse]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, timeout=120)
        assert not check or done.returncode == 0, done.stderr.decode(errors="replace")
        return done


class Ours:
    """Whole runs of the command, with the RSE's own protocol and its real catalogue."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene, self.folder = scene, folder
        entry = scene.rucio.entry(datasetNames="cms", rest=scene.rucio.rest_options())
        (folder / "backends.yaml").write_text(json.dumps({"backends": {"default": entry}}))

    def run(self, lenient: str = ', minListedFraction: "0"') -> dict[str, Any]:
        """The summary of a complete run."""
        (self.folder / "check.yaml").write_text(CHECK.format(rse=self.scene.rse.name, lenient=lenient))
        command = [
            OURS,
            "run",
            "-f",
            "check.yaml",
            "--backends",
            "backends.yaml",
            "--store",
            "store",
            "--output",
            "json",
        ]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, timeout=120, env=_plain())
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return json.loads(done.stdout)

    def actions(self, summary: Mapping[str, Any]) -> dict[tuple[str, bytes], tuple[str, str]]:
        """(kind, path) → (outcome, reason) of the run's requests."""
        rows = pq.read_table(self._of(summary) / "actions.parquet").to_pylist()
        return {(row["kind"], row["path"]): (row["outcome"], row["reason"]) for row in rows}

    def findings(self, summary: Mapping[str, Any]) -> set[tuple[str, bytes]]:
        files = {kind: self._of(summary) / f"findings/{name}.parquet" for kind, name in KINDS.items()}
        return {(kind, row["path"]) for kind, file in files.items() for row in pq.read_table(file).to_pylist()}

    def lists(self, summary: Mapping[str, Any]) -> Lists:
        said: defaultdict[str, list[bytes]] = defaultdict(list)
        said["hole"] = [hole["path"].encode() for hole in summary["holes"]]
        actions = self.actions(summary)
        for kind, name in sorted(self.findings(summary)):
            outcome = OUTCOMES[actions[kind, name][0]]
            said[f"{KINDS[kind]}, {outcome[kind] if isinstance(outcome, dict) else outcome}".replace("_", " ")].append(
                name
            )
        return said

    def _of(self, summary: Mapping[str, Any]) -> Path:
        return self.folder / "store" / self.scene.rse.name / summary["runId"]


OUTCOMES: dict[str, Any] = {
    "requested": {
        "missing": "declared bad",
        "mismatches": "declared bad",
        "orphans": "quarantined",
        "emptyDirectories": "removed",
    },
    "refused": "only reported",
    "left over": "only reported",
    "waiting": "waiting",
}


def verdicts(lists: Lists) -> dict[str, str]:
    """What is said of each case: by its own name, or by another one in its directory."""
    cases = {path(case): case for case in CASES}
    said: defaultdict[str, set[str]] = defaultdict(set)
    for kind, names in lists.items():
        for name in names:
            if name in cases:
                said[cases[name].what].add(kind)
            else:
                of_a_file = kind.startswith(("missing", "dark", "orphan", "mismatch"))
                said[_owner(name).what].add(f"{kind} under another name" if of_a_file else kind)
    return {case.what: "; ".join(sorted(said[case.what])) for case in CASES}


def _owner(name: bytes) -> Case:
    """The first case whose directory is below the same one that RCE lists with one command."""
    top = name.split(b"/")[:4]
    owners = [case for case in CASES if path(case).split(b"/")[:4] == top]
    assert owners, name
    return owners[0]


def _plain() -> dict[str, str]:
    """No credentials of people's for a door that asks for none."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("X509_", "BEARER_", "RUCIO_"))}
