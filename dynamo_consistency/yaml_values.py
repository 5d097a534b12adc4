"""What a YAML document says, and on which line it says it."""

from typing import Any

import yaml

from dynamo_consistency.errors import ConfigurationError

Location = tuple[str | int, ...]

MAX_VALUES = 200_000
"""Of one document, those that an alias stands for counted each time: a few lines of aliases can stand for billions."""


def value_and_lines(file: str, node: yaml.Node) -> tuple[Any, dict[Location, int]]:
    """The value of a document, and the line of each key or list item, counted from 1.

    Raises ConfigurationError, with `file` and line, for a key that is twice in one mapping, one that is no text, a
    value that has no meaning, and for more than MAX_VALUES values; RecursionError where an alias contains itself.
    """
    _refuse_key_twice(file, node, (), set())
    lines: dict[Location, int] = {}
    return _construct(yaml.SafeLoader(""), node, file, (), lines), lines


def _refuse_key_twice(file: str, node: yaml.Node, at: Location, seen: set[int]) -> None:
    """Raises ConfigurationError for a key that is written twice in one mapping; one that `<<` brings may be overridden.

    Asked of the nodes as they are written: later those that `<<` brings stand among the others.
    """
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _refuse_key_twice(file, item, (*at, index), seen)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            here = (*at, str(key.value))
            if here in keys:
                where = f"{file}:{key.start_mark.line + 1}"
                raise ConfigurationError(f"{where}: {'.'.join(map(str, here))}: the key stands here twice")
            keys.add(here)
            _refuse_key_twice(file, value, here, seen)


def _construct(
    constructor: yaml.SafeLoader, node: yaml.Node, file: str, at: Location, lines: dict[Location, int]
) -> Any:
    """The value of `node`; fills `lines`."""
    lines.setdefault(at, node.start_mark.line + 1)
    if len(lines) > MAX_VALUES:
        raise ConfigurationError(f"{file}:{lines[at]}: there are more than {MAX_VALUES:,} values, aliases included")
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key, (key_node, value_node) in _pairs(constructor, node, file, at).items():
            lines[(*at, key)] = key_node.start_mark.line + 1
            result[key] = _construct(constructor, value_node, file, (*at, key), lines)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_construct(constructor, item, file, (*at, index), lines) for index, item in enumerate(node.value)]
    return _scalar(constructor, node, file)


def _pairs(
    constructor: yaml.SafeLoader, node: yaml.MappingNode, file: str, at: Location
) -> dict[Any, tuple[yaml.Node, yaml.Node]]:
    """Key and value by key. What `<<` brings comes first, and gives way to what the mapping itself says."""
    constructor.flatten_mapping(node)
    pairs: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            line = key_node.start_mark.line + 1
            raise ConfigurationError(f"{file}:{line}: {'.'.join(map(str, at))}: a key must be text")
        pairs[_scalar(constructor, key_node, file)] = (key_node, value_node)
    node.value = list(pairs.values())  # another mapping may merge this one, many times
    return pairs


def _scalar(constructor: yaml.SafeLoader, node: yaml.Node, file: str) -> Any:
    try:
        return constructor.construct_object(node, deep=True)
    except ValueError as error:  # something that looks like a date or a number, and is none: 2026-13-45
        raise ConfigurationError(f"{file}:{node.start_mark.line + 1}: {node.value!r} has no meaning: {error}") from None
