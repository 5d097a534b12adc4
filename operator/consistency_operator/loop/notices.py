"""What a person is told of a check whose status was written anew: a pure function from the status before and after.

Each transition is written once, whoever reconciles and however often, and after a restart too: so each is told once, or
not at all where the operator ends between the write and the message.
"""

from collections.abc import Collection, Iterator

from consistency_operator.names import ANNOTATION_APPROVE
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus, FinishedRun, GateRecord, Run
from dynamo_consistency.kinds import findings_text
from dynamo_consistency.notify.events import Event, RunFacts, event_of
from dynamo_consistency.notify.messages import Commands, Message, message


def notices(
    resource: Resource, before: CheckStatus, after: CheckStatus, wanted: Collection[Event]
) -> Iterator[Message]:
    """The messages about what of `wanted` has happened from one status to the next."""
    site = resource.check.spec.site if resource.check else resource.name
    known = {run.id for run in before.history}
    ended = [run for run in after.history if run.id not in known and run.result != "Withdrawn"]
    was = before.run
    runs: list[Run | FinishedRun] = [*reversed(ended), *([after.run] if after.run else [])]
    for run in runs:
        now = _facts(site, run)
        then = _facts(site, was) if was and was.id == run.id else None
        event = event_of(now, then, _closed_before(after, run.id), wanted)
        if event:
            yield message(event, now, _commands(resource, run.id))


def _closed_before(status: CheckStatus, run_id: str) -> set[str]:
    """Gates that were closed in the complete run before; one that proves nothing has none, and does not count."""
    others = (run for run in status.history if run.id != run_id and run.result == "Complete")
    last = next(others, None)
    return set(_rejected(last.closed_gates)) if last else set()


def _facts(site: str, run: Run | FinishedRun) -> RunFacts:
    ended = run if isinstance(run, FinishedRun) else None
    gates = run.closed_gates if isinstance(run, FinishedRun) else run.gates
    return RunFacts(
        site=site,
        run_id=run.id,
        result=ended.result if ended else "",
        reason=f"{ended.reason}: {ended.message}" if ended else "",
        found=findings_text(run.counts) if ended or gates else "",
        gates=_rejected(gates),
        wants_approval=isinstance(run, Run) and run.stage == "AwaitingApproval",
        requested={
            "deletion": sum(one.requested for one in run.deletions),
            "transfer": sum(one.requested for one in run.transfers),
        },
    )


def _rejected(gates: Collection[GateRecord]) -> dict[str, str]:
    return {gate.name: gate.message for gate in gates if gate.state == "Rejected"}


def _commands(resource: Resource, run_id: str) -> Commands:
    kubectl, check = f"kubectl -n {resource.namespace}", f"sitecheck {resource.name}"
    approval = f"--overwrite --field-manager=$USER {ANNOTATION_APPROVE}={run_id}"
    return Commands(look=f"{kubectl} describe {check}", approve=f"{kubectl} annotate {check} {approval}")
