"""A third party's backend type: a notebook in which somebody has written down what should be where."""

from types import SimpleNamespace

from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.secrets import read_secret_file
from dynamo_consistency.yamlfile import ClosedModel


class Options(ClosedModel):
    """The entry in `backends.yaml`."""

    type: str
    files: dict[str, dict[str, int]]  # site → LFN → bytes
    token_file: str | None = None


class NotebookBackend:
    DatasetFilter = DatasetFilter

    def __init__(self, options: Options) -> None:
        self._files = options.files
        self._token = read_secret_file(options.token_file) if options.token_file else ""
        self.inventory = SimpleNamespace(protected_datasets=lambda site: set(), list_files=self._list_files)
        self.registry = SimpleNamespace(delete=self._no_registry, transfer=self._no_registry)
        self.siteinfo = SimpleNamespace(site_list=lambda: list(self._files), ready_sites=lambda: set(self._files))

    def check_site(self, site: str) -> bool:
        return site in self._files

    def deletion_requests(self, site: str) -> set[str]:
        return set()

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        raise NotImplementedError("a notebook has no blocks")

    def get_listers(self, site):
        raise NotImplementedError("the check must say what lists the site")

    def _list_files(self, site):
        return [(name, size, None) for name, size in self._files[site].items()]

    def _no_registry(self, site, files):
        raise RuntimeError(f"the server refused the token {self._token}")


def open_backend(options: Options) -> NotebookBackend:
    return NotebookBackend(options)
