"""`backends.yaml`: which backends there are, of which type, and how one is opened; and who is notified of runs.

A type is an object with `Options`, a pydantic model of its entry in the file, and `open_backend(options)`. Third
parties register one under the entry point group `dynamo_consistency.backends`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.backend.plugin_guard import guarded
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.notify.options import NotifyOptions
from dynamo_consistency.secrets import redact
from dynamo_consistency.suggestions import did_you_mean
from dynamo_consistency.yamlfile import Document, read_documents

GROUP = "dynamo_consistency.backends"

_KEYS = ("backends", "notify")

_BUILT_IN = {
    "dynamo": "dynamo_consistency.backend.dynamo",
    "file": "dynamo_consistency.backend.file",
    "module": "dynamo_consistency.backend.module",
    "rucio": "dynamo_consistency.backend.rucio",
}


class BackendType(Protocol):
    """A `type` of the file."""

    Options: type[BaseModel]

    def open_backend(self, options: Any) -> Backend: ...


@dataclass(frozen=True)
class ConfiguredBackend:
    """One backend of the file: its type, and its options as that type understands them.

    `where` it stands in the file, as messages begin.
    """

    type: BackendType
    options: Any
    foreign: bool = False
    where: str = ""


ConfiguredBackends = Mapping[str, ConfiguredBackend]


def read(path: str | Path) -> ConfiguredBackends:
    """The backends of a file. Raises ConfigurationError with one line, with file, line and field, per problem."""
    document = _document(path)
    _notify(document)
    backends = document.data.get("backends")
    if not isinstance(backends, dict) or not backends:
        raise ConfigurationError(f"{document.where(('backends',))}: backends: must be a mapping of names to backends")
    return {str(name): _entry(document, name) for name in backends}


def read_notify(path: str | Path) -> NotifyOptions | None:
    """Who is notified of runs; None where the file does not say. Raises ConfigurationError as `read` does."""
    return _notify(_document(path))


def _document(path: str | Path) -> Document:
    documents = read_documents(path)
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        raise ConfigurationError(f"{path}:1: one YAML document with the key backends is expected")
    document = documents[0]
    for key in document.data:
        if key not in _KEYS:
            hint = did_you_mean(str(key), _KEYS) or f"known are {' and '.join(_KEYS)}"
            raise ConfigurationError(f"{document.where((key,))}: {key}: unknown key; {hint}")
    return document


def _notify(document: Document) -> NotifyOptions | None:
    return document.parse(NotifyOptions, ("notify",)) if "notify" in document.data else None


def embedded(database: Path) -> ConfiguredBackends:
    """What there is without a file: `default`, Dynamo's tables in an SQLite file."""
    kind = _type("dynamo")
    return {
        "default": ConfiguredBackend(kind, kind.Options.model_validate({"url": f"sqlite:///{database.absolute()}"}))
    }


def open_backend(entries: ConfiguredBackends, name: str) -> Backend:
    """The backend `name`. Raises ConfigurationError, which names those that there are, when there is none."""
    if name not in entries:
        raise ConfigurationError(f"there is no backend {name!r}; {_known(name, entries)}")
    try:
        return _opened(entries[name], name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{entries[name].where}{error}") from error


def _opened(entry: ConfiguredBackend, name: str) -> Backend:
    if not entry.foreign:
        return entry.type.open_backend(entry.options)
    try:
        return guarded(entry.type.open_backend(entry.options), name)
    except ConsistencyError:
        raise
    except Exception as error:
        reason = redact(f"{type(error).__name__}: {error}")
        raise ConfigurationError(f"the backend {name} cannot be opened: {reason}") from error


def _entry(document: Document, name: Any) -> ConfiguredBackend:
    at = ("backends", name)
    data = document.data["backends"][name]
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        known = ", ".join(sorted(_types()))
        raise ConfigurationError(f"{document.where(at)}: backends.{name}: needs a type, one of {known}")
    if data["type"] not in _types():
        where = document.where((*at, "type"))
        hint = _known(data["type"], _types())
        raise ConfigurationError(f"{where}: backends.{name}.type: there is no type {data['type']!r}; {hint}")
    kind = _type(data["type"])
    options = document.parse(kind.Options, at)
    where = f"{document.where(at)}: backends.{name}: "
    return ConfiguredBackend(kind, options, foreign=data["type"] not in _BUILT_IN, where=where)


def _types() -> set[str]:
    return set(_BUILT_IN) | {point.name for point in entry_points(group=GROUP)}


def _type(name: str) -> BackendType:
    if name in _BUILT_IN:
        built_in: BackendType = import_module(_BUILT_IN[name])
        return built_in
    (point, *_) = entry_points(group=GROUP, name=name)
    try:
        loaded: BackendType = point.load()
        if issubclass(loaded.Options, BaseModel) and callable(loaded.open_backend):
            return loaded
        reason = "Options is no pydantic model, or open_backend no function"
    except Exception as error:  # noqa: BLE001 (foreign code may fail in any way, and the person must know whose)
        reason = redact(f"{type(error).__name__}: {error}")
    raise ConfigurationError(f"the backend type {name} ({point.value}) cannot be loaded: {reason}")


def _known(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    return did_you_mean(name, names) or f"known are {', '.join(names)}"
