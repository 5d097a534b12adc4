"""The notes of a release, from the changelog: `python tools/release/notes.py [VERSION]`.

Without one, or for a release candidate, they are what is unreleased.

A forge shows each end of a line as one, so wrapped points become one line each.
"""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def notes(changelog: str, version: str) -> str:
    """The section of `version`, without its heading. Raises LookupError, with a sentence."""
    sections = re.split(r"^## +", changelog, flags=re.MULTILINE)[1:]
    wanted = [section for section in sections if version in re.split(r"[\s\[\]]+", section.partition("\n")[0])]
    if not wanted:
        raise LookupError(f"the changelog has no section '## {version}'")
    text = wanted[0].partition("\n")[2].strip()
    if not text:
        raise LookupError(f"the section '## {version}' of the changelog is empty")
    return re.sub(r"\n +(?=\S)(?![*-] )", " ", text) + "\n"


def main(arguments: list[str]) -> int:
    version = arguments[0].removeprefix("v") if arguments and arguments[0] else "Unreleased"
    version = "Unreleased" if "rc" in version else version
    try:
        print(notes(CHANGELOG.read_text(), version), end="")
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
