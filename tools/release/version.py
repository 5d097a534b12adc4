"""Write a version wherever it stands: `python tools/release/version.py 3.0.0`, 3.0.0rc1 before it, 3.1.0.dev0 after it.

It names the files that it changes. Where the version stands already it changes nothing, by which the workflow of a
release sees that the tag is right.
"""

import datetime
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r'(ref=v|newTag: "|image\.tag=|--version |dynamo-consistency[:-])(\d+\.\d+\.\d+)\b')
"""A release as pages and examples name it: the one to install, and the one after it to upgrade to."""


def semantic(version: str) -> str:
    """As charts and krew write it: 3.0.0-rc.1 for 3.0.0rc1, and a release as it is."""
    return re.sub(r"\.?(dev|rc)(\d+)$", r"-\1.\2", version)


def after(release: str) -> str:
    """The release that pages upgrade to."""
    major, minor, _ = release.split(".")
    return f"{major}.{int(minor) + 1}.0"


def named(root: Path) -> dict[Path, set[str]]:
    """Releases that pages and examples name."""
    files = [*root.glob("docs/**/*.md"), *root.glob("examples/**/*.yaml")]
    found = {file: {version for _, version in NAMED.findall(file.read_text())} for file in files}
    return {file: versions for file, versions in found.items() if versions}


def files(version: str) -> dict[str, dict[str, str]]:
    """What has the version, whichever it is: patterns, and what stands there."""
    written = semantic(version)
    return {
        "pyproject.toml": {r'^version = ".*"$': f'version = "{version}"'},
        "deploy/chart/Chart.yaml": {
            r"^version: .*$": f"version: {written}",
            r"^appVersion: .*$": f"appVersion: {version}",
            r"(?<=artifacthub.io/prerelease: ).*$": f'"{str(written != version).lower()}"',
        },
        "deploy/plugin/consistency.yaml": {
            r"(?<=^  version: ).*$": f"v{written}",
            r"(?<=/releases/download/)[^/]+": f"v{version}",
        },
    }


def write(root: Path, version: str) -> None:
    """Raises ValueError, with a sentence, for what is no version of ours."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((\.dev|rc)\d+)?", version):
        raise ValueError(f"{version} is not a version such as 3.0.0, 3.0.0rc1 or 3.1.0.dev0")
    for name, places in files(version).items():
        text = (root / name).read_text()
        for pattern, new in places.items():
            text, times = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
            if not times:
                raise ValueError(f"{name} has nothing like {pattern}")
        _write(root / name, text)
    if semantic(version) == version:
        _name(root, version)
        _close(root / "CHANGELOG.md", version)


def _name(root: Path, release: str) -> None:
    """Pages and examples install the release."""
    pages = named(root)
    was = min(set().union(*pages.values()), key=lambda version: [int(part) for part in version.split(".")])
    new = {was: release, after(was): after(release)}
    for page in pages:
        _write(page, NAMED.sub(lambda found: found[1] + new[found[2]], page.read_text()))


def _close(changelog: Path, release: str) -> None:
    """What was unreleased is the release's."""
    text, today = changelog.read_text(), datetime.datetime.now(datetime.UTC).date()
    if not re.search(rf"^## {re.escape(release)}\b", text, re.MULTILINE):
        _write(changelog, text.replace("## Unreleased\n", f"## Unreleased\n\n## {release} - {today}\n", 1))


def _write(file: Path, text: str) -> None:
    if text != file.read_text():
        file.write_text(text)
        print(file)


def main(arguments: list[str]) -> int:
    try:
        (version,) = arguments
    except ValueError:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        write(ROOT, version.removeprefix("v"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
