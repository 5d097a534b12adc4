"""After a run on this machine: who is to be notified is, by `notify:` in `backends.yaml`. It never fails the run."""

import logging
import shlex
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dynamo_consistency.backend import backends_file
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.kinds import FINDING_KINDS, findings_text
from dynamo_consistency.notify import process
from dynamo_consistency.notify.events import RunFacts, event_of, waits_for_approval_alone
from dynamo_consistency.notify.messages import Commands, message
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

log = logging.getLogger(__name__)

_REQUESTS = {"delete": "deletion", "transfer": "transfer"}


class Notices:
    """Tells of the runs of one check. `file`: the check's, as it stands in commands that are told."""

    def __init__(self, check: SiteConsistencyCheck, file: Path, backends: Path | None, store: RunStore) -> None:
        self._options = backends_file.read_notify(backends) if backends else None
        self._site = check.spec.site
        self._file, self._backends, self._store = file, backends, store

    @contextmanager
    def of_failure(self) -> Iterator[None]:
        """Tell of an error that ends the run, and let it go on its way."""
        try:
            yield
        except Exception as error:
            reason = (
                str(error) if isinstance(error, ConsistencyError) else f"unexpected {type(error).__name__}: {error}"
            )
            with _harmless():
                self._tell(RunFacts(self._site, result="Failed", reason=reason))
            raise

    def of_run(self, run: RunDirectory, summary: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        """Tell of a run that has ended; `before`: what its summary said at the last look."""
        if self._options is not None:
            with _harmless():
                now, was = _facts(summary), _facts(before) if before else None
                self._tell(now, was, self._closed_before(run) if now.gates else set(), kind=_kind_found(summary))

    def _tell(
        self, now: RunFacts, before: RunFacts | None = None, closed_before: Collection[str] = (), kind: str = ""
    ) -> None:
        if self._options and (event := event_of(now, before, closed_before, self._options.events)):
            process.send(self._options.urls_file, message(event, now, self._commands(now, kind)))

    def _closed_before(self, run: RunDirectory) -> set[str]:
        """Gates that were closed in the complete run before."""
        from dynamo_consistency.run.records.history import last_before, read_summary

        last = last_before(self._store, run)
        return set(_facts(read_summary(last)).gates) if last else set()

    def _commands(self, facts: RunFacts, kind: str) -> Commands:
        """Paths are absolute: who reads them sits elsewhere. `kind`: of findings that are worth a look, if any are."""
        url = self._store.url
        store = ["--store", url if "://" in url else str(Path(url).absolute())]
        backends = ["--backends", str(self._backends.absolute())] if self._backends else []
        again = ["run", "-f", str(self._file.absolute()), *backends, *store, "--approve", facts.run_id]
        look = ["findings", facts.site, "--run", facts.run_id, "--kind", kind] if kind else ["history", facts.site]
        return Commands(look=_command(*look, *store), approve=_command(*again))


@contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 (whatever it is, the run is as good as it was)
        log.warning("nobody could be notified: %s: %s", type(error).__name__, error)


def _command(*arguments: str) -> str:
    return shlex.join(["dynamo-consistency", *arguments])


def _kind_found(summary: dict[str, Any]) -> str:
    """The first kind of which a complete run has found something, as `findings --kind` calls it; empty without any."""
    counts = summary["counts"] if summary["result"] == "Complete" else {}
    return next((kind.file_name for kind in FINDING_KINDS if counts.get(kind.name)), "")


def _facts(summary: dict[str, Any]) -> RunFacts:
    gates, actions = summary["gates"], summary["actions"]
    requested = dict.fromkeys(_REQUESTS.values(), 0)
    for action in actions.values():
        requested[_REQUESTS[action["request"]]] += action["requested"]
    complete = summary["result"] == "Complete"
    return RunFacts(
        site=summary["site"],
        run_id=summary["runId"],
        result=summary["result"],
        reason=summary["reason"],
        found=findings_text(summary["counts"]) if complete else "",
        gates={gate["name"]: gate["message"] for gate in gates if gate["state"] == "Rejected"},
        wants_approval=waits_for_approval_alone({gate["name"]: gate["state"] for gate in gates}),
        requested=requested,
    )
