"""Where the commands of a page are typed: a folder with what the page takes for granted.

What a page writes for other machines is read for this one: its files with the small site and inventory that are here,
and in commands `/tmp` and `/srv` below the folder, the id of a run as that of the last one here, and `…/` in an
LFN as the directory that the site has.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from fences import REPOSITORY, Fence
from made_runs import Made, ago, write_findings
from notice_servers import webhook
from real_command import run_command
from yaml_on_pages import OF_A_SPEC, REMOTE, merged

SITE = "T2_DE_RWTH"
DIRECTORY = "Era/Primary/AODSIM/x-v1/1"
NUMBER = 200
CHECK: dict[str, Any] = {
    "apiVersion": "consistency.dynamo.io/v1alpha1",
    "kind": "SiteConsistencyCheck",
    "metadata": {"name": "t2-x"},
    "spec": {
        "site": SITE,
        "listing": {
            "source": {"posix": {"prefix": "/site"}},
            "roots": [{"path": "/store/mc"}, {"path": "/store/data"}],
        },
        "policy": {"missing": {"confirmRuns": 2, "confirmSpanSeconds": 0}},
    },
}
RUN = re.compile(r"\b20\d{6}(T\d{6}Z-[\w-]+)?(?![\w/])")
ELSEWHERE = re.compile(r"(?<![\w.\]/])/(tmp|srv)\b")


class Scene:
    """The folder of a page."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder, self.site = folder, site

    def write(self, fence: Fence) -> None:
        """A block that is a file is written; a part of a check goes into `site.yaml`, which stands for one's check."""
        data = yaml.safe_load(fence.text) if fence.language == "yaml" and "\n---\n" not in fence.text else None
        if fence.file:
            file = self.folder / fence.file
            file.parent.mkdir(parents=True, exist_ok=True)
            text = self.typed(fence.text) if data is None else self._for_this_machine(data, fence.text, file)
            file.write_text(text, encoding="utf-8")
        elif isinstance(data, dict) and data.keys() <= OF_A_SPEC.keys() and (self.folder / "site.yaml").exists():
            check = yaml.safe_load((self.folder / "site.yaml").read_text())
            (self.folder / "site.yaml").write_text(yaml.safe_dump(merged(check, {"spec": data})))

    def _for_this_machine(self, data: dict[str, Any], text: str, file: Path) -> str:
        if data.get("kind") == "SiteConsistencyCheck" and "posix" not in data["spec"]["listing"].get("source", {}):
            listing = data["spec"]["listing"] | {"source": {"posix": {"prefix": str(self.site)}}}
            return yaml.safe_dump(data | {"spec": data["spec"] | {"listing": listing}})
        if "backends" in data:
            url = f"sqlite:///{self.folder}/consistency-data/inventory.sqlite"
            return yaml.safe_dump({"backends": {key: {"type": "dynamo", "url": url} for key in data["backends"]}})
        return REMOTE.sub(lambda remote: os.path.relpath(self.folder / remote[1], file.parent), self.typed(text))

    def typed(self, text: str) -> str:
        """A command as it is typed here."""
        text = RUN.sub(lambda run: self.last_run() or run[0], text).replace("/…/", f"/{DIRECTORY}/")
        return ELSEWHERE.sub(rf"{self.folder}/\1", text)

    def last_run(self) -> str | None:
        runs = sorted(path.name for path in self.folder.glob(f"consistency-data/{SITE}/*Z-*"))
        return runs[-1] if runs else None


def with_runs(folder: Path) -> None:
    """A site of 200 files, an inventory that has one more, `site.yaml`, and two runs of it in `consistency-data`."""
    files = [f"/store/{area}/{DIRECTORY}/{number}.root" for area in ("mc", "data") for number in range(NUMBER // 2)]
    for file in files:
        path = folder / f"site{file}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
        os.utime(path, (1_600_000_000, 1_600_000_000))
    known = "".join(f"{file}\t5\n" for file in [*files, f"/store/mc/{DIRECTORY}/file.root"])
    (folder / "files.tsv").write_text(known)
    check = merged(CHECK, {"spec": {"listing": {"source": {"posix": {"prefix": str(folder / "site")}}}}})
    (folder / "site.yaml").write_text(yaml.safe_dump(check))
    backends = {"default": {"type": "dynamo", "url": f"sqlite:///{folder}/consistency-data/inventory.sqlite"}}
    (folder / "backends.yaml").write_text(yaml.safe_dump({"backends": backends}))
    (folder / "password").write_text("secret\n")
    for line in ("inventory init", f"inventory import {SITE} files.tsv", *["run -f site.yaml"] * 2):
        run_line(line, folder)


def run_line(line: str, folder: Path) -> None:
    done = run_command(line.split(), folder, os.environ | {"HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    if line.startswith("run"):
        time.sleep(1.1)  # the next one has another second in its id


def clone(folder: Path) -> None:
    """What a clone of the repository has and the pages name."""
    for name in ("deploy", "examples", "crds", "tools"):
        shutil.copytree(REPOSITORY / name, folder / name, symlinks=True, dirs_exist_ok=True)
    for name in ("LICENSE", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".local/bin").mkdir(parents=True, exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "srv/consistency").mkdir(parents=True, exist_ok=True)


def _gitops(folder: Path, stack: ExitStack) -> None:
    shutil.copytree(REPOSITORY / "examples/gitops", folder, dirs_exist_ok=True)


def _one_that_failed(folder: Path, stack: ExitStack) -> None:
    complete = Made(start=ago(7)).write(folder / "consistency-data")
    write_findings(complete, "missing", [{"path": b"/store/mc/lost.root", "size": 1}])
    Made(result="Failed", reason="the stage listing died").write(folder / "consistency-data")


def _many_sites(folder: Path, stack: ExitStack) -> None:
    import sample_store

    shutil.rmtree(folder / "consistency-data", ignore_errors=True)
    sample_store.make(folder / "consistency-data")


def _enforcing(folder: Path, stack: ExitStack) -> None:
    shutil.copytree(REPOSITORY / "share", folder / ".venv/share")
    check = yaml.safe_load((folder / "site.yaml").read_text())
    policy = {"missing": {"mode": "Enforce"}, "approval": "Required"}
    (folder / "site.yaml").write_text(yaml.safe_dump(merged(check, {"spec": {"policy": policy}})))
    for _ in range(2):
        run_line("run -f site.yaml", folder)


def _a_run_before(folder: Path, stack: ExitStack) -> None:
    run_line("run -f site.yaml", folder)


def _with_two_mistakes(folder: Path, stack: ExitStack) -> None:
    spec = {key: value for key, value in CHECK["spec"].items() if key != "policy"}
    mistakes = '  comparison: {ignoreAge: 2}\n  policy:\n    missing:\n      maxFraction: "1%"\n'
    (folder / "site.yaml").write_text(yaml.safe_dump(CHECK | {"spec": spec}, sort_keys=False) + mistakes)


def _addresses(folder: Path, stack: ExitStack) -> None:
    (folder / "urls").write_text(stack.enter_context(webhook()).url)


BARE = (
    "docs/tutorials/first-check.md",
    "docs/how-to/coming-from-dynamo-consistency.md",
    "docs/how-to/coming-from-rce.md",
)
ALSO: Mapping[str, Callable[[Path, ExitStack], None]] = {
    "docs/how-to/command-line.md": _enforcing,
    "docs/how-to/enforce.md": _a_run_before,
    "docs/how-to/gitops.md": _gitops,
    "docs/how-to/look.md": _one_that_failed,
    "docs/how-to/monitoring.md": _addresses,
    "docs/reference/exit-codes.md": _with_two_mistakes,
    "docs/reference/pages.md": _many_sites,
}
