"""Facts for the gates: of a healthy run, and with what a test changes."""

from dataclasses import replace

from dynamo_consistency.check import Policy
from dynamo_consistency.run.gates import evaluate
from dynamo_consistency.run.gates.confirmation import Confirmed
from dynamo_consistency.run.gates.facts import GATED, Facts, Scope

NOTHING = dict.fromkeys(GATED, 0)


ENFORCED = Policy.model_validate({kind: {"mode": "Enforce"} for kind in ("missing", "orphans")})


def scope(name="the site", expected=1000, listed=1000, directories=100, holes=0, **findings):
    return Scope(name, expected, listed, directories, holes, NOTHING | findings)


def facts(*scopes, **changes):
    """Facts of a healthy run with ten confirmed missing files, which may be acted on."""
    healthy = Facts(
        run_id="now",
        policy=ENFORCED,
        before=1000,
        after=1000,
        last_inventory=1000,
        scopes=scopes or (scope(missing=5, listed=995), scope("root /store/mc", missing=5, listed=995)),
        empty_top_directories=(),
        complete_runs=3,
        confirmed=dict.fromkeys(GATED, Confirmed(("a", "b"), 10**7, 5)),
        approved_run=None,
        superseded=False,
        by_dump=False,
    )
    return replace(healthy, **changes)


def policy(**changes):
    return ENFORCED.model_copy(update=changes)


def gate(name, of):
    return next(gate for gate in evaluate(of) if gate.name == name)


def closed(of):
    return [gate.name for gate in evaluate(of) if gate.state != "Ready"]
