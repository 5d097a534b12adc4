"""Answers of foreign code: one of another form ends in a sentence, and never counts as an empty one."""

from types import SimpleNamespace

import pytest

from dynamo_consistency.backend.contract import Asked, Known, Outcome
from dynamo_consistency.backend.plugin_guard import guarded
from dynamo_consistency.errors import BackendError

GOOD = {
    "DatasetFilter": SimpleNamespace(protected=lambda name: True, protected_among=set),
    "check_site": True,
    "deletion_requests": {"/A/B/C"},
    "filelist_to_blocklist": None,
    "get_listers": (print, [()]),
    "inventory.protected_datasets": {"/A/B/C"},
    "inventory.list_files": [("/store/a", 1, None)],
    "inventory.stream": [],
    "inventory.look_up": {b"/store/a": Known(1, False, None)},
    "registry.delete": 1,
    "registry.transfer": ([], ["/store/a"]),
    "registry.sources": (["/store/a"], []),
    "registry.request_deletion": [Outcome(b"/store/a", "requested")],
    "registry.request_transfer": [Outcome(b"/store/a", "requested")],
    "registry.takes_directories": False,
    "registry.follow": ["queued"],
    "registry.withdraw": ["withdrawn"],
    "siteinfo.site_list": ["T2_X"],
    "siteinfo.ready_sites": {"T2_X"},
}
ARGUMENTS = {
    "registry.delete": ("T2_X", ["/store/a"]),
    "registry.transfer": ("T2_X", ["/store/a"]),
    "registry.withdraw": ("T2_X", [Asked(b"/store/a", "delete", "", 0.0)]),
}
NONE_IS_AN_ERROR = sorted(GOOD.keys() - {"filelist_to_blocklist", "registry.delete", "registry.transfer"})


def answering(**answers: object):
    """A backend each name of which answers as in GOOD, or as is said here (`__` for the dot)."""
    holders = {name: SimpleNamespace() for name in ("inventory", "registry", "siteinfo")}
    backend = SimpleNamespace(**holders)
    for dotted, answer in (GOOD | {name.replace("__", "."): answer for name, answer in answers.items()}).items():
        holder, _, name = dotted.rpartition(".")
        setattr(holders[holder] if holder else backend, name, lambda *arguments, answer=answer: answer)
    return guarded(backend, "mine")


def ask(backend, dotted: str) -> object:
    for name in dotted.split("."):
        backend = getattr(backend, name)
    return backend(*ARGUMENTS.get(dotted, ("T2_X",)))


@pytest.mark.parametrize("dotted", sorted(GOOD.keys() - {"DatasetFilter"}))
def test_an_answer_of_the_right_form_passes_as_it_is(dotted):
    assert ask(answering(), dotted) == GOOD[dotted]


@pytest.mark.parametrize("dotted", NONE_IS_AN_ERROR)
def test_none_is_an_error_that_names_what_returned_it(dotted):
    with pytest.raises(BackendError, match=rf"^the backend mine returned None from {dotted}; it must "):
        ask(answering(**{dotted.replace(".", "__"): None}), dotted)


@pytest.mark.parametrize(
    ("dotted", "answer"),
    [
        ("deletion_requests", "/A/B/C"),
        ("deletion_requests", {None}),
        ("deletion_requests", {"/A/B/C": 1}),
        ("deletion_requests", 0),
        ("inventory.protected_datasets", [("/A/B/C", 1)]),
        ("inventory.list_files", {"/store/a": 1}),
        ("inventory.list_files", "/store/a"),
        ("inventory.look_up", []),
        ("inventory.look_up", {b"/store/a": None}),
        ("registry.delete", "1"),
        ("registry.delete", True),
        ("registry.transfer", []),
        ("registry.transfer", ([], None)),
        ("registry.transfer", ("ab", "cd")),
        ("registry.sources", 0),
        ("registry.request_deletion", ["requested"]),
        ("registry.follow", [None]),
        ("registry.withdraw", ["gone"]),
        ("siteinfo.ready_sites", "T2_X"),
        ("get_listers", print),
        ("DatasetFilter", object()),
    ],
)
def test_another_form_is_an_error(dotted, answer):
    with pytest.raises(BackendError, match=rf"^the backend mine returned an? \w+ of another form from {dotted}; "):
        ask(answering(**{dotted.replace(".", "__"): answer}), dotted)


@pytest.mark.parametrize("dotted", ["check_site", "registry.takes_directories"])
def test_what_would_have_to_be_awaited_is_no_yes(dotted):
    async def no(*_: object) -> bool:
        return False

    unfinished = no()
    with pytest.raises(BackendError, match=rf"returned a coroutine of another form from {dotted}; "):
        ask(answering(**{dotted.replace(".", "__"): unfinished}), dotted)
    unfinished.close()


def test_a_filter_that_forgets_to_answer_protects_nothing_by_mistake():
    forgetful = SimpleNamespace(protected=lambda name: None, protected_among=lambda names: None)
    made = answering(DatasetFilter=forgetful).DatasetFilter(set())
    for name, given in (("protected", "/store/a"), ("protected_among", ["/store/a"])):
        with pytest.raises(BackendError, match=rf"returned None from DatasetFilter\.{name}"):
            getattr(made, name)(given)


def test_a_filter_that_fails_is_an_error_of_the_backend():
    def failing(name):
        raise KeyError(name)

    made = answering(DatasetFilter=SimpleNamespace(protected=failing)).DatasetFilter(set())
    assert not hasattr(made, "protected_among")
    with pytest.raises(BackendError, match=r"DatasetFilter\.protected of the backend mine failed: KeyError"):
        made.protected("/store/a")


def test_names_may_come_from_a_generator():
    backend = answering(deletion_requests=(name for name in ["/A/B/C"]))
    assert set(backend.deletion_requests("T2_X")) == {"/A/B/C"}


@pytest.mark.parametrize(("dotted", "taken_for"), [("registry.delete", 1), ("registry.transfer", ([], []))])
def test_a_request_that_was_made_without_an_answer_counts_as_made(dotted, taken_for, caplog):
    assert ask(answering(**{dotted.replace(".", "__"): None}), dotted) == taken_for
    assert f"returned None from {dotted}" in caplog.text
