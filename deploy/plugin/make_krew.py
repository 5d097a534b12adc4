"""Writes what krew installs the plug-in from: `python deploy/plugin/make_krew.py DIR`.

The archive goes into DIR, and is the same wherever it is made. The manifest beside this file gets its sum.
"""

import hashlib
import runpy
import sys
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MANIFEST = HERE / "consistency.yaml"
TEMPLATE = """\
# For krew; written by make_krew.py. `kubectl krew install --manifest=consistency.yaml`
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: consistency
spec:
  version: {version}
  homepage: {home}
  shortDescription: Shows what checks of storage sites need, and does it
  description: |
    For clusters with the operator of dynamo-consistency: lists the checks of grid storage sites, explains what hinders
    one, approves a run that waits, starts a run, and suspends or resumes a check.
  caveats: |
    Needs python3, 3.9 or newer, on the PATH.
  platforms:
    - selector:
        matchExpressions:
          - {{key: os, operator: In, values: [linux, darwin]}}
      uri: {home}/releases/download/{tag}/kubectl-consistency.zip
      sha256: {sum}
      bin: kubectl-consistency
      files:
        - {{from: kubectl-consistency, to: .}}
        - {{from: LICENSE, to: .}}
"""


def archive(folder: Path) -> Path:
    """The zip file with the plug-in, made in the folder. Not compressed: what compresses differs between machines."""
    path = folder / "kubectl-consistency.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as content:
        for file, mode in ((HERE / "kubectl-consistency", 0o755), (ROOT / "LICENSE", 0o644)):
            entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
            content.writestr(entry, file.read_bytes())
    return path


def manifest(package: Path) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tag, home = f"v{project['version']}", project["urls"]["Homepage"]
    version = runpy.run_path(str(ROOT / "tools/release/version.py"))["semantic"](tag)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return TEMPLATE.format(version=version, tag=tag, home=home, sum=digest)


if __name__ == "__main__":
    MANIFEST.write_text(manifest(archive(Path(sys.argv[1]))))
