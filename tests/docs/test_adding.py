"""What the page on the architecture says of a new lister and a new backend is all that it takes."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ftp_server import serving

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/explanation/architecture.md").read_text(encoding="utf-8")
STEP = re.compile(
    r"^(?:New file `(?P<new>\S+)`|In `(?P<file>\S+)`, (?P<side>before|after) `(?P<line>[^`]+)`):\n\n"
    r"```python\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
FOLDER = "store/mc/Era/Primary/TIER/x-v1"
LONG_AGO = 1_600_000_000


def section(heading: str) -> str:
    """The part of the page below a heading, up to the next one."""
    return PAGE.split(f"\n### {heading}\n")[1].split("\n### ")[0]


def block(text: str, language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(code)


def apply(text: str, package: Path) -> None:
    """Do to the files in `package` what the steps of a section say. Each line that it names must be there once."""
    for step in STEP.finditer(text):
        if step["new"]:
            assert not (package / step["new"]).exists()
            (package / step["new"]).write_text(step["code"])
            continue
        lines = (package / step["file"]).read_text().splitlines(keepends=True)
        [at] = [number for number, line in enumerate(lines) if line.rstrip("\n") == step["line"]]
        lines.insert(at + (step["side"] == "after"), step["code"])
        (package / step["file"]).write_text("".join(lines))


@pytest.fixture
def package(tmp_path) -> Path:
    """A folder with a copy of the engine, to which Python looks first."""
    shutil.copytree(REPOSITORY / "dynamo_consistency", tmp_path / "package/dynamo_consistency")
    return tmp_path / "package"


@pytest.fixture
def site(tmp_path) -> Path:
    """What the site has: one file that is expected, and an orphan."""
    folder = tmp_path / "pnfs/site" / FOLDER
    folder.mkdir(parents=True)
    for name in ("kept", "orphan"):
        (folder / name).write_bytes(b"12345")
    for path in [*folder.iterdir(), folder, *folder.parents[:5]]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return tmp_path / "pnfs/site"


def run(package: Path, check: str, backends: str) -> dict[str, list[str]]:
    """A run with the real command; what it found, by kind. The files are beside the package."""
    folder = package.parent
    (folder / "check.yaml").write_text(check)
    (folder / "backends.yaml").write_text(backends)
    command = [Path(sys.executable).with_name("dynamo-consistency"), "run", "-f", "check.yaml"]
    done = subprocess.run(
        [*command, "--backends", "backends.yaml", "--store", "data", "--output", "json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["result"] == "Complete"
    lists = folder / "data" / summary["site"] / summary["runId"] / "reports"
    return {kind: (lists / f"{kind}.txt").read_text().split() for kind in ("missing", "orphan", "mismatch")}


FOUND = {"missing": [f"/{FOLDER}/gone"], "orphan": [f"/{FOLDER}/orphan"], "mismatch": []}


def test_a_lister_takes_what_the_page_says_and_no_more(package, site, tmp_path):
    text = section("a lister")
    apply(text, package)
    (tmp_path / "inventory.tsv").write_text(f"/{FOLDER}/kept\t5\n/{FOLDER}/gone\t7\n")
    (tmp_path / "protected.txt").write_text("# none\n")
    inventory = "{inventory: {url: inventory.tsv}, protected: protected.txt}"
    backends = f"backends: {{default: {{type: file, sites: {{T2_FTP: {inventory}}}}}}}\n"

    with serving(tmp_path) as port:
        check = block(text, "yaml").replace("host: ftp.example.org", f"host: 127.0.0.1, port: {port}")
        assert run(package, check, backends) == FOUND


@pytest.mark.parametrize("place", ["in the engine", "in a package of its own"])
def test_a_backend_takes_what_the_page_says_and_no_more(package, site, tmp_path, place):
    text = section("a backend")
    if place == "in the engine":
        apply(text, package)
    else:
        install(text, package)
    (tmp_path / "ledger.csv").write_text(f"T2_LEDGER,/{FOLDER}/kept,5\nT2_LEDGER,/{FOLDER}/gone,7\nT2_X,/a,1\n")
    backends = block(text, "yaml").replace("/srv/site", str(site)).replace("/srv", str(tmp_path))
    check = """
        {apiVersion: consistency.dynamo.io/v1alpha1, kind: SiteConsistencyCheck, metadata: {name: t2-ledger},
         spec: {site: T2_LEDGER, listing: {roots: [{path: /store/mc}]}}}
    """

    assert run(package, check, backends) == FOUND


def install(text: str, package: Path) -> None:
    """The module of the section as somebody else's package, with the entry points that the section shows."""
    [module] = [step["code"] for step in STEP.finditer(text) if step["new"]]
    for group, points in tomllib.loads(block(text, "toml"))["project"]["entry-points"].items():
        [(name, target)] = points.items()
        (package / f"{target}.py").write_text(module)
        metadata = package / f"{target}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {target}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
