"""A real folder as a site with a scratch area, a real inventory in SQLite, and Dynamo's daemons simulated."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dynamo_consistency.backend.dynamo import Options, open_backend
from dynamo_consistency.backend.dynamo.database.connection import connect
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.pipeline import act_on, run_check
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

OLD = 1_000_000_000
SITE = "T2_Test"
U = "/store/unmerged"
KNOWN = ["/store/mc/E/P/AOD/v1/a.root", "/store/mc/E/P/AOD/v1/b.root"]
ENFORCED = {"mode": "Enforce", "confirmSpanSeconds": 0}


def _simulator() -> Any:
    """The simulator of the tests of the Dynamo backend."""
    path = Path(__file__).parents[1] / "dynamo" / "dynamo_simulator.py"
    spec = importlib.util.spec_from_file_location("dynamo_simulator_of_scratch_areas", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DynamoSimulator


class ScratchSite:
    """`unmerged` and `policy` are what the next check says of them, `listing` of the site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.store = RunStore(str(folder / "store"))
        self.protected = folder / "protected.txt"
        self.protected.write_text(f"{U}/kept\n")
        self.unmerged: dict[str, Any] | None = dict(ENFORCED)
        self.policy: dict[str, Any] = {"approval": "Never"}
        self.listing: dict[str, Any] = {"retries": 0}
        options = Options(url=f"sqlite:///{folder}/inventory.sqlite")
        self.backend = open_backend(options)
        self.backend.init()
        self.register(KNOWN)
        for path in KNOWN:
            self.put(path)
        self.dynamo = _simulator()(connect(options).inventory, SITE, self.site)
        self.dynamo.map_names()

    def register(self, files: list[str]) -> None:
        listing = self.folder / "files.tsv"
        listing.write_text("".join(f"{path}\t10\n" for path in files))
        self.backend.import_files(SITE, listing)

    def path(self, lfn: str) -> Path:
        return self.site / lfn.lstrip("/")

    def put(self, *lfns: str, mtime: int = OLD, size: int = 10) -> None:
        for lfn in lfns:
            self.path(lfn).parent.mkdir(parents=True, exist_ok=True)
            self.path(lfn).write_bytes(b"x" * size)
            os.utime(self.path(lfn), (mtime, mtime))

    def make(self, *lfns: str) -> None:
        for lfn in lfns:
            self.path(lfn).mkdir(parents=True, exist_ok=True)

    def age(self) -> None:
        """All directories have been as they are for long."""
        for directory, _, _ in os.walk(self.site):
            os.utime(directory, (OLD, OLD))

    def there(self) -> set[str]:
        """All files and empty directories of the area."""
        found = set()
        for directory, inside, files in os.walk(self.path(U)):
            lfn = "/" + str(Path(directory).relative_to(self.site))
            found |= {f"{lfn}/{name}" for name in files} | ({lfn} if not inside and not files else set())
        return found

    def check(self) -> SiteConsistencyCheck:
        area = {"path": U, "protectedFrom": {"url": str(self.protected)}}
        spec = {
            "site": SITE,
            "listing": {
                "source": {"posix": {"prefix": str(self.site)}},
                "roots": [{"path": "/store/mc"}],
                "shards": 2,
                **self.listing,
            },
            "policy": self.policy,
        }
        if self.unmerged is not None:
            spec["unmerged"] = area | self.unmerged
        return SiteConsistencyCheck.model_validate(
            {
                "apiVersion": "consistency.dynamo.io/v1alpha1",
                "kind": "SiteConsistencyCheck",
                "metadata": {"name": "t2-test"},
                "spec": spec,
            }
        )

    def run(self) -> dict[str, Any]:
        return run_check(self.check(), self.backend, self.store)[1]

    def act(self, approve: bool = False) -> dict[str, Any]:
        """The action of the last run, once more."""
        return act_on(self.last, self.backend, self.last.run_id if approve else None)

    @property
    def last(self) -> RunDirectory:
        return self.store.runs(SITE)[-1]

    def findings(self) -> list[str]:
        with self.last.reading("findings/unmerged.parquet") as path:
            return [row["path"].decode() for row in pq.read_table(path).to_pylist()]

    def asked(self) -> dict[str, str]:
        """Path → outcome and reason of the last run's action."""
        with self.last.reading("actions.parquet") as path:
            rows = pq.read_table(path).to_pylist()
        return {row["path"].decode(): f"{row['outcome']}: {row['reason']}" for row in rows}

    def requested(self) -> set[str]:
        return {path for path, outcome in self.asked().items() if outcome == "requested: "}

    def waiting(self) -> set[str]:
        """What waits in Dynamo's own table."""
        with self.dynamo.engine.connect() as db:
            urls = db.exec_driver_sql("SELECT url FROM unmanaged_deletions").scalars().all()
        return {self.dynamo.path_of_url(os.fsencode(url)).as_posix().removeprefix(str(self.site)) for url in urls}
