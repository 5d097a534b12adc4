"""The examples in the docstrings of the two contracts work as they are printed, and nothing there is undocumented."""

import doctest
import inspect
from types import ModuleType

import pytest

from dynamo_consistency.backend import configured
from dynamo_consistency.backend.contract import data, optional, required
from dynamo_consistency.listers import contract as listers


@pytest.fixture(autouse=True)
def _nothing_is_left_configured(monkeypatch):
    monkeypatch.setattr(configured, "_current", [])


@pytest.mark.parametrize(("module", "where"), [(required, "Backend"), (listers, "Lister")])
def test_the_smallest_one_in_the_docstring_works(module, where):
    examples = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert [test.name for test in examples] == [f"{module.__name__}.{where}"]
    said: list[str] = []
    assert doctest.DocTestRunner().run(examples[0], out=said.append).failed == 0, "".join(said)


@pytest.mark.parametrize("module", [data, optional, required, listers])
def test_every_class_and_method_of_a_contract_has_a_docstring(module: ModuleType):
    undocumented = [
        name
        for name, thing in _public(module)
        if not thing.__doc__ or thing.__doc__.startswith(f"{thing.__name__}(")  # which a tuple or dataclass gets itself
    ]
    assert undocumented == []


def _public(module: ModuleType):
    """(name, object) of each class and function that `module` defines, and of each method."""
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_"):
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield name, thing
            if inspect.isclass(thing):
                methods = inspect.getmembers(thing, inspect.isfunction)
                yield from ((f"{name}.{method}", one) for method, one in methods if not method.startswith("_"))
