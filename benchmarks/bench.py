"""`make bench`: listing, comparison and snapshot, each against its peers in the same run.

Figures of shared machines drift; the ratios are what counts. What a part needs and does not find is said by name.
"""

import argparse
import compileall
import shutil
import sysconfig
import tempfile
from pathlib import Path

import chart
import comparison
import dumps
import listing
import rucio_snapshot
import snapshot
import stages
import webdav
from measure import HERE, RESULTS

PARTS = {
    "listing": listing,
    "comparison": comparison,
    "dumps": dumps,
    "snapshot": snapshot,
    "rucio": rucio_snapshot,
    "webdav": webdav,
    "stages": stages,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--big", action="store_true", help="a million files listed, twenty million compared")
    parser.add_argument("--huge", action="store_true", help="a hundred million compared, and nothing else")
    arguments = parser.parse_args()
    _compile()
    if arguments.huge:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            comparison.bench_huge(Path(folder))
        return
    for name in arguments.parts or PARTS:
        part = PARTS[name]
        lacking = [program for program in part.PROGRAMS if shutil.which(program) is None]
        if lacking:
            print(f"\n{name}: not measured, it needs {', '.join(lacking)}: {part.INSTALL}")
            continue
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            Path(folder).chmod(0o755)
            part.bench(Path(folder), big=arguments.big)
    chart.draw(RESULTS, HERE.parent / "docs/images/figures.svg")


def _compile() -> None:
    """Leave Python's bytecode as an installation by pip does; a start without it takes twice as long."""
    for folder in (HERE.parent / "dynamo_consistency", sysconfig.get_path("purelib")):
        compileall.compile_dir(folder, quiet=2)


if __name__ == "__main__":
    main()
