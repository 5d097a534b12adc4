"""`convert`: checks from the configuration of an older tool, or of a site."""

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from dynamo_consistency.cli.groups import Commands
from dynamo_consistency.cli.parameters import FilePath
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.secrets import redact
from dynamo_consistency.yamlfile import read_documents

if TYPE_CHECKING:
    from dynamo_consistency.convert import Conversion

backend_option = click.option(
    "--backend", default="default", show_default=True, help="Name of the entry of backends.yaml that the checks use."
)
output_option = click.option(
    "-o",
    "--out",
    "folder",
    type=FilePath(),
    help="Folder for the checks, one file for each site, and a kustomization.yaml. Without it, all are printed.",
)
protected_option = click.option(
    "--protected-from",
    metavar="URL",
    help="Path or URL of the list of directories that are protected in unmerged areas.",
)
_KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
_HEAD = "# From {file}. Each mode is Report: read some runs, then write Enforce.\n"


@click.group(cls=Commands)
def convert() -> None:
    """Write checks from the configuration of an older tool, or of a site.

    Settings that a check does not have are listed on stderr, each with the reason. The checks never delete anything as
    they are: each mode is Report, and no limit is looser than the default.
    """


@convert.command("rce")
@click.argument("files", nargs=-1, required=True, type=FilePath())
@click.option(
    "--attributes",
    "attributes_file",
    type=FilePath(),
    help="JSON file that maps RSE to attribute to value. Attributes CE_config.* overrule FILE, as they do in RCE.",
)
@click.option(
    "--backends",
    "backends_file",
    type=FilePath(),
    help="YAML file that names the backends (backends.yaml). The attributes of the RSEs are then read from Rucio's "
    "catalogue.",
)
@protected_option
@backend_option
@output_option
def rce(  # noqa: PLR0917 (options, which click gives by name)
    files: tuple[Path, ...],
    attributes_file: Path | None,
    backends_file: Path | None,
    protected_from: str | None,
    backend: str,
    folder: Path | None,
) -> None:
    """Write a check for each RSE that is in FILES, the configuration of Rucio's consistency enforcement (RCE).

    That is its YAML file, a ConfigMap with it, a rendered chart, or values of the chart.
    """
    from dynamo_consistency.convert import convert_rce

    attributes = _of_catalogue(backends_file, backend) if backends_file else {}
    attributes |= _of_file(attributes_file) if attributes_file else {}
    documents = [document for file in files for document in _documents(file)]
    _convert(files, folder, lambda: convert_rce(documents, attributes, backend, protected_from))


@convert.command("dynamo-consistency")
@click.argument("file", type=FilePath())
@click.option(
    "--site", "sites", multiple=True, help="Site to write a check for; may be repeated [all that FILE names]."
)
@protected_option
@backend_option
@output_option
def dynamo(file: Path, sites: tuple[str, ...], protected_from: str | None, backend: str, folder: Path | None) -> None:
    """Write a check for each site that is in FILE, the JSON or YAML configuration of dynamo-consistency."""
    from dynamo_consistency.convert import convert_dynamo

    config = _mapping(file)
    _convert([file], folder, lambda: convert_dynamo(config, sites, backend, protected_from))


@convert.command("storage-json")
@click.argument("file", type=FilePath())
@click.option("--rse", "rses", multiple=True, help="RSE to write a check for; may be repeated [all that FILE names].")
@click.option(
    "--root", "roots", multiple=True, metavar="LFN", help="Directory to check; may be repeated [those that CMS checks]."
)
@click.option("--protocol", help="Name of the protocol of FILE to list by [XRootD before WebDAV].")
@protected_option
@backend_option
@output_option
def storage_json(  # noqa: PLR0917 (options, which click gives by name)
    file: Path,
    rses: tuple[str, ...],
    roots: tuple[str, ...],
    protocol: str | None,
    protected_from: str | None,
    backend: str,
    folder: Path | None,
) -> None:
    """Write a check for each RSE of FILE, a site's storage.json: its doors, and its rules from LFN to path."""
    from dynamo_consistency.convert import Wanted, convert_storage_json

    documents = _documents(file)
    wanted = Wanted(rses, roots, protocol, backend, protected_from)
    _convert([file], folder, lambda: convert_storage_json(documents[0] if len(documents) == 1 else None, wanted))


def _convert(files: Sequence[Path], folder: Path | None, conversion: "Callable[[], Conversion]") -> None:
    try:
        result = conversion()
    except ConfigurationError as error:
        raise ConfigurationError(f"{', '.join(map(str, files))}: {error}") from None
    head = _HEAD.format(file=", ".join(file.name for file in files))
    texts = {
        document["metadata"]["name"]: head + yaml.safe_dump(document, sort_keys=False)
        for document in result.documents.values()
    }
    if folder is None:
        click.echo("---\n".join(texts.values()), nl=False)
    else:
        _write(folder, texts)
    for line in result.lines():
        click.echo(redact(line), err=True)


def _of_file(file: Path) -> dict[str, dict[str, Any]]:
    attributes = _mapping(file)
    for rse, given in attributes.items():
        if not isinstance(given, dict):
            raise ConfigurationError(f"{file}: {rse}: must be a mapping of attributes to values")
    return attributes


def _of_catalogue(file: Path, name: str) -> dict[str, dict[str, Any]]:
    from dynamo_consistency.backend import backends_file
    from dynamo_consistency.backend.rucio.backend import RucioBackend
    from dynamo_consistency.convert import ATTRIBUTE

    backend = backends_file.open_backend(backends_file.read(file), name)
    if not isinstance(backend, RucioBackend):
        raise ConfigurationError(f"{file}: the backend {name} is not of type rucio; only that has attributes of RSEs")
    return {**backend.siteinfo.attributes(ATTRIBUTE)}


def _write(folder: Path, texts: dict[str, str]) -> None:
    """A file for each; raises ConfigurationError, and writes nothing, where one is there already."""
    files = {folder / f"{name}.yaml": text for name, text in texts.items()}
    if files:
        files[folder / "kustomization.yaml"] = _KUSTOMIZATION + "".join(f"- {name}.yaml\n" for name in sorted(texts))
    there = [str(file) for file in files if file.exists()]
    if there:
        raise ConfigurationError(f"{there[0]} is there already, and nothing was written; give another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            file.write_text(text, encoding="utf-8")
            click.echo(file)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written to: {error.strerror}") from None


def _mapping(file: Path) -> dict[str, Any]:
    """The mapping that a file of JSON or YAML holds. Raises ConfigurationError."""
    documents = _documents(file)
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ConfigurationError(f"{file}: must hold one mapping of keys to values")
    return documents[0]


def _yaml(file: Path) -> list[Any]:
    try:
        return [document.data for document in read_documents(file)]
    except ConfigurationError as error:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if "{{" in file.read_text(encoding="utf-8"):
                raise ConfigurationError(f"{error}; it is a template: render it first (helm template)") from None
        raise


def _documents(file: Path) -> list[Any]:
    """What a file of JSON, or each document of one of YAML, holds. Raises ConfigurationError."""
    if file.suffix == ".json":
        try:
            documents = [json.loads(file.read_text(encoding="utf-8"))]
        except OSError as error:
            raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"{file}: is not valid JSON: {error}") from None
    else:
        documents = _yaml(file)
    try:
        json.dumps(documents, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{file}: holds half a character, which is no text") from None
    return documents
