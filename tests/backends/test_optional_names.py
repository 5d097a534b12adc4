"""A third party's backend may have each name of the contract that is optional, and the engine finds it."""

import inspect
from types import SimpleNamespace

import pytest

from dynamo_consistency.backend import contract, plugin_guard
from dynamo_consistency.backend.contract import Inventory, Registry, optional
from dynamo_consistency.backend.plugin_guard import guarded

PROTOCOLS = [
    kind
    for kind in vars(optional).values()
    if inspect.isclass(kind) and kind.__module__ == optional.__name__ and kind is not contract.BulkDatasetFilter
]
"""A filter is handed through as it is."""


def holder_of(kind: type) -> str:
    if kind.__name__.endswith("Registry"):
        return "registry"
    return "inventory" if kind.__name__.endswith("Inventory") else ""


OPTIONAL = sorted(
    {
        (holder_of(kind), name)
        for kind in PROTOCOLS
        for name, thing in vars(kind).items()
        if inspect.isfunction(thing) and not name.startswith("_") and not hasattr(Registry, name)
        if not hasattr(Inventory, name)
    }
)


@pytest.mark.parametrize(("holder", "name"), OPTIONAL, ids=[".".join(filter(None, pair)) for pair in OPTIONAL])
def test_an_optional_name_of_a_backend_is_handed_through(monkeypatch, holder, name):
    required = dict.fromkeys(("DatasetFilter", "check_site", "deletion_requests", "filelist_to_blocklist"), print)
    backend = SimpleNamespace(
        **required,
        get_listers=print,
        inventory=SimpleNamespace(protected_datasets=print, list_files=print),
        registry=SimpleNamespace(delete=print, transfer=print),
        siteinfo=SimpleNamespace(site_list=print, ready_sites=print),
    )
    setattr(getattr(backend, holder) if holder else backend, name, lambda: "its own")
    monkeypatch.setattr(plugin_guard, "checked", lambda answer, name: answer)
    guard = guarded(backend, "theirs")
    assert getattr(getattr(guard, holder) if holder else guard, name)() == "its own"
