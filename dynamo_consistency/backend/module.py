"""The backend type `module`: any importable module, or object in one, that has the eleven names."""

from importlib import import_module
from typing import Any, Literal

from pydantic import Field

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.backend.plugin_guard import guarded
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.secrets import redact
from dynamo_consistency.yamlfile import ClosedModel


class Options(ClosedModel):
    """`{type: module, module: my_site.backend}`, or `my_site:backend` for an object in a module."""

    type: Literal["module"] = "module"
    module: str = Field(min_length=1, description="Importable name of the module, or module:attribute.")


def open_backend(options: Options) -> Backend:
    """The module or object. Raises ConfigurationError when it cannot be imported, or lacks some of the names."""
    module, _, attributes = options.module.partition(":")
    try:
        found: Any = import_module(module)
        for attribute in attributes.split(".") if attributes else ():
            found = getattr(found, attribute)
    except Exception as error:  # importing runs foreign code
        reason = redact(f"{type(error).__name__}: {error}")
        raise ConfigurationError(f"the backend {options.module} cannot be imported: {reason}") from error
    return guarded(found, options.module)
