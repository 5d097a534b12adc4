"""Writes `reference/check.md` from the model of the check: `python docs/generate_check_reference.py`."""

import json
import re
import types
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dynamo_consistency.check import SiteConsistencyCheck

PAGE = Path(__file__).parent / "reference" / "check.md"

HEAD = """\
# The check, field by field

A check is one `SiteConsistencyCheck` in YAML: `dynamo-consistency validate -f site.yaml` reads it, and says of every
mistake in which file, line and field it is and what would be right. An unknown key is a mistake. Times are whole
seconds, fractions are numbers or text between 0 and 1 (`0.01` or `"0.01"`), paths are LFNs: absolute, and folded (`//`
is `/`). `maxFraction: null` lifts that limit. Into a cluster bring a null with `kubectl apply --server-side`, as GitOps
tools do: without that flag an edit with a null restores the default.

A file may hold several checks, `---` between them; `run` takes a file with one.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    return "\n".join([HEAD, *_sections("", SiteConsistencyCheck)])


def _sections(at: str, model: type[BaseModel]) -> Iterator[str]:
    """A section with a table for `model`, and one for each model below it."""
    if at:
        yield f"## {at}\n\n{_sentence(model)}\n"
    yield "| field | what it takes | default | |\n|---|---|---|---|"
    inner = []
    for field in model.model_fields.values():
        if field.exclude:
            continue
        name = f"{at}.{field.alias}" if at else str(field.alias)
        below = _model_in(field.annotation)
        inner += [(name, below)] if below else []
        takes = (
            f"[{'list of ' if get_origin(field.annotation) is list else ''}below](#{_anchor(name)})" if below else ""
        )
        about = _description(model, field) or (_sentence(below) if below else "")
        yield f"| `{field.alias}` | {takes or _takes(field)} | {_default(field)} | {about} |"
    yield ""
    for name, below in inner:
        yield from _sections(name, below)


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _description(model: type[BaseModel], field: FieldInfo) -> str:
    """The field's own description, or that of the field which it makes more precise."""
    for base in model.__mro__:
        for other in getattr(base, "model_fields", {}).values():
            if other.alias == field.alias and other.description:
                return str(other.description).replace("|", "\\|")
    return ""


def _options(annotation: Any) -> list[Any]:
    """The types that `annotation` allows, None aside."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [option for argument in get_args(annotation) for option in _options(argument)]
    return [] if annotation is types.NoneType else [annotation]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for option in _options(annotation):
        inner = get_args(option)[0] if get_origin(option) is list else option
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return None


def _takes(field: FieldInfo) -> str:
    return " or ".join(dict.fromkeys(_kind(option, str(field.alias)) for option in _options(field.annotation)))


def _kind(annotation: Any, name: str) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if hasattr(annotation, "__metadata__"):
        return _kind(arguments[0], name)
    if origin is list:
        return f"list of {_kind(arguments[0], name)}"
    if annotation is int:
        unit = next((unit for unit in ("seconds", "days") if re.search(rf"(?<!30){unit}$", name.lower())), "")
        return unit or "whole number"
    names = {str: "text", bool: "`true` or `false`", Decimal: "fraction"}
    return names.get(annotation, "mapping")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default is None:
        return ""
    if isinstance(field.default, BaseModel):
        return ""
    value = str(field.default) if isinstance(field.default, Decimal) else field.default
    return f"`{json.dumps(value)}`"


if __name__ == "__main__":
    main()
