"""YAML files with positions: every error names file, line and field.

`yaml.safe_load` forgets where a value was and lets a later key silently win over an earlier one of the same name; both
matter in files that people write.
"""

import functools
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.suggestions import did_you_mean
from dynamo_consistency.yaml_values import Location, value_and_lines

Model = TypeVar("Model", bound=BaseModel)


class ClosedModel(BaseModel):
    """Base of everything that a person writes in YAML: unknown keys and loose types are refused, never guessed at.

    In Python the fields are snake_case, in the file camelCase.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True)


@dataclass(frozen=True)
class Document:
    """One YAML document: its data, and the line of each key or list item, counted from 1."""

    file: str
    data: Any
    lines: dict[Location, int]

    def where(self, location: Location) -> str:
        """`file:line` of `location`, or of the nearest thing around it that is written in the file."""
        return f"{self.file}:{self._line(location)}"

    def _line(self, location: Location) -> int:
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def parse(self, model: type[Model], at: Location = ()) -> Model:
        """The document, or the value at `at` in it, as `model`.

        Raises ConfigurationError with one line per problem: file, line, field, what is wrong, what would be right.
        """
        data = self.data
        for key in at:
            data = data[key]
        try:
            return model.model_validate(data, by_alias=True, by_name=False)
        except ValidationError as error:
            raise ConfigurationError("\n".join(self._complaints(model, error, at))) from None

    def _complaints(self, model: type[BaseModel], error: ValidationError, at: Location) -> Iterator[str]:
        problems = error.errors(include_url=False, include_input=False)
        for problem in sorted(problems, key=lambda problem: self._line(at + tuple(problem["loc"]))):
            location = at + tuple(problem["loc"])
            field = ".".join(str(part) for part in location)
            yield f"{self.where(location)}: {field or 'document'}: {_sentence(model, problem)}"


WORDS: dict[str, str] = {}
"""What the patterns of fields mean."""


def pattern(expression: str, words: str) -> str:
    """`expression`, a regular expression for a field; `words` say to a person what to write, after "must be"."""
    WORDS[expression] = words
    return expression


_SENTENCES = {
    "missing": "is missing",
    "int_type": "must be a whole number without a unit",
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
}


def _sentence(model: type[BaseModel], problem: Any) -> str:
    """What is wrong in words of the person who wrote the file, not of the validation library."""
    if problem["type"] == "extra_forbidden":
        return _unknown_key(model, problem["loc"])
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if problem["type"] == "string_pattern_mismatch" and (words := WORDS.get(problem["ctx"]["pattern"])):
        return f"must be {words}"
    if problem["type"] == "int_type" and str(problem["loc"][-1]).endswith("Seconds"):
        return f"{_SENTENCES['int_type']}: a day is 86400"
    return _SENTENCES.get(problem["type"]) or re.sub(r"^(Input|String|List) should", "must", str(problem["msg"]))


def _unknown_key(model: type[BaseModel], location: Location) -> str:
    known = _keys_beside(model, location)
    hint = did_you_mean(str(location[-1]), known) or f"known keys are {', '.join(sorted(known))}"
    return f"unknown key; {hint}"


def _keys_beside(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that the model allows beside the unknown key at the end of `location`."""
    for part in location[:-1]:
        if isinstance(part, str):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            inner = list(_models(fields[part].annotation)) if part in fields else []
            if inner:
                model = inner[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that `annotation` mentions, through optionals, unions, lists and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, list, tuple, dict):
        for argument in get_args(annotation):
            yield from _models(argument)


STDIN = "-"

MAX_BYTES = 4 * 2**20


def read_documents(path: str | Path) -> list[Document]:
    """All documents of a YAML file; `-` is stdin. Raises ConfigurationError with file and line when it is not YAML."""
    name = shown_name(path)
    try:
        content = _stdin() if str(path) == STDIN else _beginning(Path(path))
        if len(content) > MAX_BYTES:
            raise ConfigurationError(
                f"{name}: is larger than {MAX_BYTES // 2**20} MiB, and so not what is expected here"
            )
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{name}: cannot be read: {reason}") from None
    return documents_in(text, name)


def _beginning(path: Path) -> bytes:
    """The file, or so much of it that one sees that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def shown_name(path: str | Path) -> str:
    """What messages call the file."""
    return "stdin" if str(path) == STDIN else str(path)


@functools.cache
def _stdin() -> bytes:
    """As `_beginning`; it can be read once only."""
    return b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_BYTES + 1)


def documents_in(text: str, path: str) -> list[Document]:
    """All documents of a text; `path` says in messages where it is. Raises ConfigurationError as `read_documents`."""
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if not _is_empty(node)]
        return [_document(path, node) for node in nodes]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = "a tab stands where YAML takes blanks only" if _AT_TAB in str(error.problem) else error.problem
        raise ConfigurationError(f"{path}:{line}: is not valid YAML: {problem}") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}:1: is not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ConfigurationError(f"{path}:1: nests too deeply, or an alias contains itself") from None


_AT_TAB = "character '\\t'"


def _is_empty(node: yaml.Node | None) -> bool:
    """Nothing between two lines `---`, or behind the last one: kubectl passes over that as well."""
    return node is None or (isinstance(node, yaml.ScalarNode) and not node.value and node.style is None)


def _document(file: str, node: yaml.Node) -> Document:
    return Document(file, *value_and_lines(file, node))
