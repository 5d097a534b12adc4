"""The calls to a registry: this file makes them, and no other."""

from collections.abc import Iterator, Sequence

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import (
    Asked,
    Backend,
    DirectoryDeletingRegistry,
    ItemisingRegistry,
    Outcome,
    Registry,
    RunningRegistry,
    WithdrawingRegistry,
    Withdrawn,
)
from dynamo_consistency.errors import BackendError, ConsistencyError
from dynamo_consistency.kinds import KIND_BY_NAME

SAID_NOTHING = "the registry returned None, and so does not say whether it took it"


def is_idempotent(backend: Backend) -> bool:
    """May a request be made again whose answer was lost? Of the two plain calls nobody promises that."""
    return isinstance(backend.registry, ItemisingRegistry)


def of_run(backend: Backend, run_id: str) -> Registry:
    """The backend's registry; one that wants to know is given the run that it is asked for."""
    registry = backend.registry
    return registry.for_run(run_id) if isinstance(registry, RunningRegistry) else registry


def takes_directories(backend: Backend, site: str) -> bool:
    """May the registry be asked to delete a directory?"""
    return optional_features.takes_directories(backend, site)


def calls(backend: Backend, files: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """`files` as they are asked for: all in one call or, where a call has one answer for all of them, one by one."""
    if is_idempotent(backend):
        yield from [files] if files else []
    else:
        yield from ([path] for path in files)


def request(
    registry: Registry, site: str, kind: str, files: Sequence[bytes], *, directories: bool = False
) -> list[Outcome]:
    """Ask the registry for what the findings of `kind` need; one outcome for each file, in their order.

    `directories`: all of `files` are. Raises BackendError when the registry does not answer: what was asked may or may
    not have arrived; and ConsistencyError for a kind that is never acted on.
    """
    ask = {"delete": _delete_directories if directories else _delete, "transfer": _transfer}
    asked_for = KIND_BY_NAME[kind].request
    if asked_for is None:
        raise ConsistencyError(f"{kind} are only reported; nothing was requested")
    try:
        outcomes = ask[asked_for](registry, site, files)
    except ConsistencyError:
        raise
    except Exception as error:
        what = "deletion" if asked_for == "delete" else "transfer"
        raise BackendError(f"the registry did not take the request for {what}: {error}") from error
    if [outcome.path for outcome in outcomes] != list(files):
        raise BackendError("the registry did not answer for each file that it was asked about")
    return outcomes


def _delete(registry: Registry, site: str, files: Sequence[bytes]) -> list[Outcome]:
    if isinstance(registry, ItemisingRegistry):
        return registry.request_deletion(site, files)
    number = registry.delete(site, [paths.to_text(path) for path in files])
    if number == 0:
        return [Outcome(path, "refused", "the registry says that it took nothing") for path in files]
    return [Outcome(path, "requested", SAID_NOTHING if number is None else "") for path in files]


def _delete_directories(registry: Registry, site: str, directories: Sequence[bytes]) -> list[Outcome]:
    if isinstance(registry, DirectoryDeletingRegistry):
        return registry.request_deletion_of_directories(site, directories)
    return _delete(registry, site, directories)


def _transfer(registry: Registry, site: str, files: Sequence[bytes]) -> list[Outcome]:
    if isinstance(registry, ItemisingRegistry):
        return registry.request_transfer(site, files)
    answer = registry.transfer(site, [paths.to_text(path) for path in files])
    if answer is None:
        return [Outcome(path, "requested", SAID_NOTHING) for path in files]
    no_disk, no_tape = answer
    nowhere = {paths.to_bytes(path): "no disk elsewhere has it" for path in no_disk}
    nowhere |= {paths.to_bytes(path): "neither disk nor tape elsewhere has it" for path in no_tape}
    return [Outcome(path, "refused" if path in nowhere else "requested", nowhere.get(path, "")) for path in files]


def withdraw(registry: WithdrawingRegistry, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
    """Take requests back; one outcome for each, in their order.

    Raises BackendError when the registry does not answer.
    """
    try:
        outcomes = registry.withdraw(site, asked)
    except ConsistencyError:
        raise
    except Exception as error:
        raise BackendError(f"the registry did not take the withdrawal: {error}") from error
    if len(outcomes) != len(asked):
        raise BackendError("the registry did not answer for each request that was to be withdrawn")
    return outcomes
