"""The backend type `module`: any importable module, or object in one, that has the eleven names."""

from importlib import import_module
from typing import Any, Literal, cast

from pydantic import Field

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import ClosedModel

NAMES = (
    "DatasetFilter",
    "check_site",
    "deletion_requests",
    "filelist_to_blocklist",
    "get_listers",
    "inventory.protected_datasets",
    "inventory.list_files",
    "registry.delete",
    "registry.transfer",
    "siteinfo.site_list",
    "siteinfo.ready_sites",
)


class Options(ClosedModel):
    """`{type: module, module: my_site.backend}`, or `my_site:backend` for an object in a module."""

    type: Literal["module"] = "module"
    module: str = Field(min_length=1, description="Importable name of the module, or module:attribute.")


def open_backend(options: Options) -> Backend:
    """The module or object. Raises ConfigurationError when it cannot be imported, or lacks some of the names."""
    module, _, attribute = options.module.partition(":")
    try:
        found = import_module(module)
    except Exception as error:  # importing runs foreign code
        raise ConfigurationError(f"the backend module {module} cannot be imported: {error}") from error
    backend = _reach(found, attribute) if attribute else found
    lacking = [name for name in NAMES if not callable(_reach(backend, name))]
    if lacking:
        raise ConfigurationError(f"the backend {options.module} lacks {', '.join(lacking)}")
    return cast(Backend, backend)


def _reach(thing: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        thing = getattr(thing, name, None)
    return thing
