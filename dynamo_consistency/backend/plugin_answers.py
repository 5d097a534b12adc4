"""What foreign code behind the contract answers: an answer of another form is an error, and never an empty one.

None is what a function returns that someone forgot to finish. As "nothing is protected" or "nothing is pending" it
would cost files.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, get_args

from dynamo_consistency.backend.contract import Became, Withdrawn


def _names(answer: Any) -> bool:
    return _rows(answer) and all(isinstance(name, str) for name in answer)


def _rows(answer: Any) -> bool:
    return isinstance(answer, Iterable) and not isinstance(answer, str | bytes | Mapping)


def _paths(answer: Any) -> bool:
    return _rows(answer) and all(isinstance(name, str | bytes) for name in answer)


def _two_lists(answer: Any) -> bool:
    return isinstance(answer, Sequence) and len(answer) == 2 and all(map(_paths, answer))


def _number(answer: Any) -> bool:
    return isinstance(answer, Integral) and not isinstance(answer, bool)


def _outcomes(answer: Any) -> bool:
    return isinstance(answer, Sequence) and all(isinstance(one, tuple) and len(one) == 3 for one in answer)


def _words(of: Any) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, Sequence) and set(answer) <= set(get_args(of))


def _listers(answer: Any) -> bool:
    return isinstance(answer, Sequence) and len(answer) == 2 and callable(answer[0]) and _rows(answer[1])


def _known(answer: Any) -> bool:
    entries = isinstance(answer, Mapping) and answer.items()
    return isinstance(answer, Mapping) and all(
        isinstance(path, bytes) and isinstance(known, tuple) and len(known) in (3, 4) for path, known in entries or ()
    )


def _truth(answer: Any) -> bool:
    return answer is not None and not isinstance(answer, str)


def _filter(answer: Any) -> bool:
    return callable(getattr(answer, "protected", None))


def _registry(answer: Any) -> bool:
    return answer is not None


_SET = "it must return a set of names"
_LIST = "it must return a list of names"
_PAIR = "it must return two lists of files"
_WORDS = "it must return a list with an outcome for each file"

_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "DatasetFilter": (_filter, "it must make an object with `protected`"),
    "DatasetFilter.protected": (_truth, "it must return True or False"),
    "DatasetFilter.protected_among": (_names, _SET),
    "check_site": (_truth, "it must return True or False"),
    "deletion_requests": (_names, _SET),
    "get_listers": (_listers, "it must return what makes a lister, and a list of its arguments"),
    "inventory.protected_datasets": (_names, _SET),
    "inventory.list_files": (_rows, "it must return a list of (LFN, bytes, datetime)"),
    "inventory.stream": (_rows, "it must return batches of rows"),
    "inventory.look_up": (_known, "it must return a dictionary of LFN and `Known`"),
    "registry.delete": (_number, "it must return the number of requests"),
    "registry.transfer": (_two_lists, _PAIR),
    "registry.sources": (_two_lists, _PAIR),
    "registry.request_deletion": (_outcomes, _WORDS),
    "registry.request_deletion_of_directories": (_outcomes, _WORDS),
    "registry.request_transfer": (_outcomes, _WORDS),
    "registry.for_run": (_registry, "it must return a registry"),
    "registry.takes_directories": (_truth, "it must return True or False"),
    "registry.follow": (_words(Became), _WORDS),
    "registry.withdraw": (_words(Withdrawn), _WORDS),
    "siteinfo.site_list": (_names, _LIST),
    "siteinfo.ready_sites": (_names, _SET),
}
_STREAMED = ("inventory.list_files", "inventory.stream")


def checked(answer: Any, dotted: str) -> Any:
    """The answer of the function that the contract calls `dotted`; one that can be read only once is read.

    Not so an inventory, whose rows are looked at where they are read. Raises ValueError, whose text follows "the
    backend NAME".
    """
    if dotted not in _FORMS:
        return answer
    if isinstance(answer, Iterator) and dotted not in _STREAMED:
        answer = list(answer)
    is_right, wanted = _FORMS[dotted]
    if isinstance(answer, Awaitable) or not is_right(answer):  # whatever an `async def` would say, it is true
        shown = "None" if answer is None else f"{_article(type(answer).__name__)} of another form"
        raise ValueError(f"returned {shown} from {dotted}; {wanted}")
    return answer


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
