"""Options that commands share, and what their values may be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_WORD, FindingKind

DEFAULT_STORE = "consistency-data"
STORE_SETTING = "DYNAMO_CONSISTENCY_STORE"
CHECK_FILE = "YAML file with the check of a site (a SiteConsistencyCheck); - is stdin."

Command = TypeVar("Command", bound=Callable[..., Any])
Output = Literal["text", "json", "csv"]


class FilePath(click.Path):
    """A path; `~` at its beginning is the home directory, also where no shell has seen it (`--backends=~/b.yaml`)."""

    name = "path"

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(expanded(str(value)), param, ctx)


class KindName(click.Choice[str]):
    """A kind of finding, by the word that people use for it. Words of former versions are taken as well."""

    name = "kind"

    def __init__(self) -> None:
        super().__init__([kind.word for kind in FINDING_KINDS])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        known = value if isinstance(value, FindingKind) else KIND_BY_WORD.get(str(value))
        return known or super().convert(value, param, ctx)


def expanded(path_or_url: str) -> str:
    """`path_or_url` with the home directory in the place of `~`; a user without one keeps the `~`."""
    if "://" in path_or_url or not path_or_url.startswith("~"):
        return path_or_url
    try:
        return str(Path(path_or_url).expanduser())
    except RuntimeError:
        return path_or_url


store_option = click.option(
    "--store",
    "store_url",
    metavar="URL",
    envvar=STORE_SETTING,
    show_envvar=True,
    help=f"Path or fsspec URL of the folder with all runs [default: {DEFAULT_STORE}].",
)
backends_option = click.option(
    "--backends",
    "backends_file",
    type=FilePath(),
    envvar="DYNAMO_CONSISTENCY_BACKENDS",
    show_envvar=True,
    help="YAML file that names the inventories (backends.yaml). Without it, an SQLite inventory in the store is used.",
)
backend_option = click.option(
    "--backend", "backend_name", default="default", show_default=True, help="Name of an entry of backends.yaml."
)
approve_option = click.option(
    "--approve", "approved", metavar="RUN", help="Id of the run whose requests you approve, or the beginning of it."
)


def output_option(*names: str, default: Output = "text") -> Callable[[Command], Command]:
    """`--output`, with further `names` for it."""
    return click.option(
        "--output",
        *names,
        "output",
        type=click.Choice(["text", "json", "csv"]),
        default=default,
        show_default=True,
        help="Print text for people, or JSON or CSV for programs.",
    )
