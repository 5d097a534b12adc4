"""The type `module`: anybody's code with eleven names; it carries a whole check, and nothing is believed half."""

import sys

import pytest

from dynamo_consistency import secrets
from dynamo_consistency.backend import configure, optional_features
from dynamo_consistency.errors import BackendError, ConfigurationError

FOLDER = "/store/mc/Era/Primary/TIER/x-v1"
ELEVEN = f'''
import os
from types import SimpleNamespace

MOUNT = ""
FILES = [("{FOLDER}/a", 5, None), (b"{FOLDER}/b c", 5, None), ("{FOLDER}/gone", 7, None)]


class DatasetFilter:
    def __init__(self, datasets): self.datasets = datasets
    def protected(self, filename): return "/Primary/Era-x-v1/TIER" in self.datasets


class Lister:
    built = []
    asked = []

    def __init__(self, mount, number):
        self.mount = mount
        Lister.built.append(number)

    def list(self, directory):
        Lister.asked.append(directory)
        entries = [(entry, entry.stat()) for entry in os.scandir(os.fsencode(self.mount + directory))]
        return (
            True,
            [(entry.name, stat.st_mtime) for entry, stat in entries if entry.is_dir()],
            [(entry.name.decode(), stat.st_size, stat.st_mtime) for entry, stat in entries if entry.is_file()],
        )


def check_site(site): return site == "T2_TEST"
def deletion_requests(site): return set()
def filelist_to_blocklist(site, infile, outfile): open(outfile, "w").write("one block\\n")
def get_listers(site): return Lister, [(MOUNT, 1), (MOUNT, 2)]
inventory = SimpleNamespace(protected_datasets=lambda site: set(), list_files=lambda site: FILES)
registry = SimpleNamespace(delete=lambda site, files: len(files), transfer=lambda site, files: ([], []))
siteinfo = SimpleNamespace(site_list=lambda: ["T2_TEST"], ready_sites=lambda: {{"T2_TEST"}})
'''


@pytest.fixture
def opened(write, importable, site):
    """The backend of a module with the eleven names, some of them replaced."""

    def open_with(more: str = ""):
        importable("eleven_names", ELEVEN.replace('MOUNT = ""', f"MOUNT = {str(site)!r}") + more)
        return configure(write("backends.yaml", "backends: {default: {type: module, module: eleven_names}}\n"))

    return open_with


def test_the_eleven_names_are_enough_for_a_whole_check(opened, run_whole, found):
    backend = opened()
    run, summary = run_whole(backend)
    assert summary["result"] == "Complete", summary["reason"]
    assert summary["counts"]["listedFiles"] == summary["counts"]["inventoryFiles"] == 3
    assert found(run, "missing") == [f"{FOLDER}/gone"]
    assert found(run, "orphan") == [f"{FOLDER}/orphan"]
    assert found(run, "mismatch") == []
    assert found(run, "empty_directory") == ["/store/mc/empty"]


def test_all_its_listers_are_built_and_each_directory_is_asked_for_once(opened, run_whole):
    run_whole(opened())
    lister = sys.modules["eleven_names"].Lister
    assert lister.built == [1, 2]
    assert sorted(lister.asked) == sorted({*lister.asked})
    assert "/store/mc/empty" in lister.asked


def test_its_dataset_filter_decides_what_is_protected(opened, run_whole, found):
    run, _ = run_whole(opened("inventory.protected_datasets = lambda site: {'/Primary/Era-x-v1/TIER'}"))
    assert found(run, "orphan") == []
    assert found(run, "missing") == [f"{FOLDER}/gone"]


def test_missing_names_are_all_told(write, importable):
    importable("half_a_backend", "from types import SimpleNamespace\ndef check_site(site): ...\ninventory = 3\n")
    path = write("backends.yaml", "backends: {default: {type: module, module: half_a_backend}}\n")
    with pytest.raises(ConfigurationError) as told:
        configure(path)
    assert str(told.value) == (
        f"{path}:1: backends.default: the backend half_a_backend lacks DatasetFilter, deletion_requests, "
        "filelist_to_blocklist, get_listers, inventory.protected_datasets, inventory.list_files, registry.delete, "
        "registry.transfer, siteinfo.site_list, siteinfo.ready_sites"
    )


@pytest.mark.parametrize(
    ("code", "name", "reason"),
    [
        ("", "no_such_module_here", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("1 / 0", "broken_module", "ZeroDivisionError: division by zero"),
        ("", "broken_module:backend", "AttributeError: module 'broken_module' has no attribute 'backend'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(write, importable, code, name, reason):
    importable("broken_module", code)
    path = write("backends.yaml", f"backends: {{default: {{type: module, module: '{name}'}}}}\n")
    with pytest.raises(ConfigurationError) as told:
        configure(path)
    assert str(told.value) == f"{path}:1: backends.default: the backend {name} cannot be imported: {reason}"


def test_an_object_in_a_module_is_a_backend_too(write, importable):
    importable("holding_one", ELEVEN + "class holder:\n    mine = __import__('sys').modules[__name__]\n")
    path = write("backends.yaml", "backends: {default: {type: module, module: 'holding_one:holder.mine'}}\n")
    assert configure(path).siteinfo.site_list() == ["T2_TEST"]


BREAKS_OFF = """
def list_files(site):
    yield from FILES
    raise OSError("connection lost to db, password hunter2")
inventory.list_files = list_files
"""


def test_an_inventory_that_breaks_off_is_an_error_and_never_a_short_list(opened):
    backend = opened(BREAKS_OFF)
    with pytest.raises(BackendError, match=r"inventory\.list_files of the backend eleven_names failed: OSError"):
        list(optional_features.stream(backend, "T2_TEST"))
    with pytest.raises(BackendError):
        list(backend.inventory.list_files("T2_TEST"))


def test_a_run_whose_inventory_breaks_off_is_invalid_and_has_no_findings(opened, run_whole):
    run, summary = run_whole(opened(BREAKS_OFF))
    assert summary["result"] == "Invalid"
    assert "connection lost" in summary["reason"]
    assert run.names("inventory") == run.names("findings") == []


def test_what_a_module_remembers_as_secret_is_in_no_message(opened, run_whole):
    secrets.remember("hunter2")
    with pytest.raises(BackendError) as told:
        list(opened(BREAKS_OFF).inventory.list_files("T2_TEST"))
    assert "hunter2" not in str(told.value)
    _, summary = run_whole(opened(BREAKS_OFF))
    assert "password ***" in summary["reason"]
    assert "hunter2" not in repr(summary)


@pytest.mark.parametrize(
    ("more", "ask"),
    [
        ("def check_site(site): raise KeyError(site)", lambda backend: backend.check_site("T2_X")),
        ("def deletion_requests(site): return SITES", lambda backend: backend.deletion_requests("T2_X")),
        ("def get_listers(site): return {}[site]", lambda backend: backend.get_listers("T2_X")),
        ("registry.delete = lambda: 3", lambda backend: backend.registry.delete("T2_X", [])),
        ("siteinfo.ready_sites = lambda: 1 / 0", lambda backend: backend.siteinfo.ready_sites()),
        ("def DatasetFilter(datasets): return datasets.x", lambda backend: backend.DatasetFilter(set())),
    ],
)
def test_whatever_it_raises_is_one_sentence_that_names_it(opened, more, ask):
    with pytest.raises(BackendError) as told:
        ask(opened(more))
    assert " of the backend eleven_names failed: " in str(told.value)
    assert "\n" not in str(told.value)


def test_a_directory_that_its_lister_cannot_list_is_a_hole(opened, run_whole, found):
    backend = opened(
        """
class Failing(Lister):
    def list(self, directory):
        if directory.endswith("TIER"):
            return False, [], []
        return super().list(directory)
def get_listers(site): return Failing, [(MOUNT, 1)]
"""
    )
    run, summary = run_whole(backend, listing={"roots": [{"path": "/store/mc"}], "retries": 0})
    assert summary["result"] == "Complete", summary["reason"]
    assert summary["counts"]["holes"] == 1
    assert found(run, "missing") == found(run, "orphan") == []


def test_an_optional_name_is_used_where_it_is_there(opened):
    backend = opened("def describe(): return 'a notebook on my desk'")
    assert optional_features.describe(backend) == "a notebook on my desk"
    assert optional_features.describe(opened()) == "backend eleven_names"


def test_names_beyond_the_contract_are_not_handed_on(opened):
    assert not hasattr(opened("password = 'hunter2'"), "password")


def test_a_debug_log_and_the_run_directory_show_no_secret_either(write, importable, site, tmp_path, prompt):
    """The whole command, with a backend whose error and the error below that hold its password."""
    importable(
        "leaking",
        ELEVEN.replace('MOUNT = ""', f"MOUNT = {str(site)!r}")
        + """
from dynamo_consistency.secrets import remember
PASSWORD = remember("hunter2")
def list_files(site):
    yield "/store/mc/a", 1, None
    try:
        raise OSError(f"db said no to {PASSWORD}")
    except OSError as error:
        raise RuntimeError(f"login as me:{PASSWORD}") from error
inventory.list_files = list_files
""",
    )
    write("backends.yaml", "backends: {default: {type: module, module: leaking}}\n")
    write(
        "check.yaml",
        """
        apiVersion: consistency.dynamo.io/v1alpha1
        kind: SiteConsistencyCheck
        metadata: {name: t2-test}
        spec: {site: T2_TEST, listing: {roots: [{path: /store/mc}]}}
        """,
    )
    said = prompt(
        """
        import contextlib, io
        from dynamo_consistency.cli import main
        arguments = ["--debug", "run", "-f", "check.yaml", "--backends", "backends.yaml", "--store", "store"]
        with contextlib.redirect_stderr(io.StringIO()) as errors, contextlib.suppress(SystemExit):
            main(arguments)
        print(errors.getvalue())
        """,
        tmp_path,
    )
    assert "RuntimeError: login as me:***" in said
    written = [file.read_bytes() for file in (tmp_path / "store").rglob("*") if file.is_file()]
    assert written
    assert not [content for content in [said.encode(), *written] if b"hunter2" in content]
