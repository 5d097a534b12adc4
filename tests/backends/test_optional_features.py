"""A feature is there when the object has the attribute, however the object is made; else there is a plain way."""

from types import ModuleType, SimpleNamespace

import pytest

from dynamo_consistency.backend import optional_features
from dynamo_consistency.check import Source

SITE = "T2_TEST"
SOURCE = Source.model_validate({"posix": {"prefix": "/mnt"}})


class Registry:
    def takes_directories(self, site):
        return site != SITE

    def sources(self, site, files):
        return list(files), []


class OfAClass:
    registry = Registry()

    def describe(self):
        return "mine"

    def listing_source(self, site):
        return SOURCE


def of_a_module():
    module = ModuleType("mine")
    module.registry = ModuleType("registry")
    module.describe, module.listing_source = OfAClass().describe, OfAClass().listing_source
    vars(module.registry).update(sources=Registry().sources, takes_directories=Registry().takes_directories)
    return module


def of_a_namespace():
    return SimpleNamespace(**{name: getattr(OfAClass(), name) for name in ("registry", "describe", "listing_source")})


@pytest.mark.parametrize("make", [OfAClass, of_a_module, of_a_namespace])
def test_what_a_backend_offers_is_used(make):
    backend = make()
    assert optional_features.describe(backend) == "mine"
    assert optional_features.listing_source(backend, SITE) is SOURCE
    assert optional_features.sources(backend, SITE, ["/a"]) == (["/a"], [])
    assert not optional_features.takes_directories(backend, SITE)
    assert optional_features.takes_directories(backend, "T2_OTHER")


class WithPropertiesOfNone:
    describe = property(lambda self: None)
    listing_source = property(lambda self: None)

    @property
    def registry(self):
        return type("Registry", (), dict.fromkeys(("sources", "takes_directories"), property(lambda self: None)))()


@pytest.mark.parametrize(
    "backend",
    [
        SimpleNamespace(registry=SimpleNamespace()),
        SimpleNamespace(
            describe=None, listing_source=None, registry=SimpleNamespace(sources=None, takes_directories=None)
        ),
        SimpleNamespace(describe="a sentence", listing_source=SOURCE, registry=SimpleNamespace()),
        WithPropertiesOfNone(),
    ],
    ids=["absent", "None", "no functions", "properties of None"],
)
def test_what_a_backend_does_not_offer_is_done_without(backend):
    assert optional_features.describe(backend) == f"backend {type(backend).__name__}"
    assert optional_features.listing_source(backend, SITE) is None
    assert optional_features.sources(backend, SITE, ["/a"]) is None
    assert optional_features.takes_directories(backend, SITE)


def test_a_registry_whose_word_on_directories_cannot_be_had_is_not_asked_to_delete_any():
    with pytest.raises(TypeError):
        optional_features.takes_directories(SimpleNamespace(registry=SimpleNamespace(takes_directories=False)), SITE)


def test_a_filter_that_answers_for_many_files_is_asked_once():
    asked = []

    def protected_among(filenames):
        asked.append(list(filenames))
        return {"/b"}

    many = SimpleNamespace(protected=None, protected_among=protected_among)
    assert optional_features.protected_among(many, ["/a", "/b"]) == {"/b"}
    assert asked == [["/a", "/b"]]


@pytest.mark.parametrize("more", [{}, {"protected_among": None}])
def test_any_other_filter_is_asked_for_each_file(more):
    plain = SimpleNamespace(protected=lambda name: name == "/b", **more)
    assert optional_features.protected_among(plain, ["/a", "/b"]) == {"/b"}
