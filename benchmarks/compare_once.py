"""Compare the run directory that is given, anew; a process of its own, so that its memory can be measured."""

import shutil
import sys
from pathlib import Path

from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.store.run_directory import RunDirectory


class Backend:
    DatasetFilter = DatasetFilter


if __name__ == "__main__":
    shutil.rmtree(Path(sys.argv[1]) / "findings", ignore_errors=True)
    counts = compare(RunDirectory(sys.argv[1]), Backend)
    print({kind: counts[kind] for kind in ("missing", "orphans", "protectedFiles")}, file=sys.stderr)
