"""The public interface: eleven names, on the backend that is configured, at a plain Python prompt."""

import json

import pytest

from dynamo_consistency import backend
from dynamo_consistency.errors import ConfigurationError

MODULE = """
    from types import SimpleNamespace

    class DatasetFilter:
        def __init__(self, datasets): self.datasets = datasets
        def protected(self, filename): return filename.split("/")[3] in self.datasets

    def check_site(site): return 1
    def deletion_requests(site): return ["gone"]
    def filelist_to_blocklist(site, infile, outfile): open(outfile, "w").write(open(infile).read())
    def get_listers(site): return print, iter([("a",), ("b",)])
    def list_files(site): yield "/a", 1, None
    def transfer(site, files): return (), iter("x")
    inventory = SimpleNamespace(protected_datasets=lambda site: ["kept"], list_files=list_files)
    registry = SimpleNamespace(delete=lambda site, files: len(list(files)), transfer=transfer)
    siteinfo = SimpleNamespace(site_list=lambda: ("T2_TEST",), ready_sites=lambda: ["T2_TEST"])
"""
ASK = """
    import json
    from dynamo_consistency import backend
    backend.configure("backends.yaml")
    site = "T2_TEST"
    open("in", "w").write("/store/mc/a\\n")
    backend.filelist_to_blocklist(site, "in", "out")
    constructor, arguments = backend.get_listers(site)
    no_disk, no_tape = backend.registry.transfer(site, ["/store/mc/a"])
    answers = {
        "DatasetFilter.protected": backend.DatasetFilter({"kept"}).protected("/store/mc/kept/a"),
        "check_site": backend.check_site(site),
        "deletion_requests": backend.deletion_requests(site),
        "blocklist": open("out").read(),
        "get_listers": callable(constructor) and arguments,
        "protected_datasets": backend.inventory.protected_datasets(site),
        "list_files": backend.inventory.list_files(site),
        "delete": backend.registry.delete(site, (name for name in ["/store/mc/a", "/store/mc/b"])),
        "no_disk": no_disk,
        "no_tape": no_tape,
        "site_list": backend.siteinfo.site_list(),
        "ready_sites": backend.siteinfo.ready_sites(),
    }
    print(json.dumps({name: type(answer).__name__ for name, answer in answers.items()}))
"""
TYPES = {
    "DatasetFilter.protected": "bool",
    "check_site": "bool",
    "deletion_requests": "set",
    "blocklist": "str",
    "get_listers": "list",
    "protected_datasets": "set",
    "list_files": "list",
    "delete": "int",
    "no_disk": "list",
    "no_tape": "list",
    "site_list": "list",
    "ready_sites": "set",
}
ENTRIES = {
    "module": "{type: module, module: my_site}",
    "file": "{type: file, requests: requests, sites: "
    "{T2_TEST: {inventory: {url: dump.tsv}, listing: {posix: {prefix: /tmp}}}}}",
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_name_answers_with_the_type_that_is_promised(write, prompt, tmp_path, kind):
    write("my_site.py", MODULE)
    write("dump.tsv", "/store/mc/a\t5\n")
    write("backends.yaml", f"backends: {{default: {ENTRIES[kind]}}}\n")
    assert json.loads(prompt(ASK, tmp_path)) == TYPES


@pytest.mark.parametrize(
    "ask",
    [
        lambda: backend.DatasetFilter(set()),
        lambda: backend.check_site("T2_TEST"),
        lambda: backend.deletion_requests("T2_TEST"),
        lambda: backend.filelist_to_blocklist("T2_TEST", "in", "out"),
        lambda: backend.get_listers("T2_TEST"),
        lambda: backend.inventory.protected_datasets("T2_TEST"),
        lambda: backend.inventory.list_files("T2_TEST"),
        lambda: backend.registry.delete("T2_TEST", []),
        lambda: backend.registry.transfer("T2_TEST", []),
        backend.siteinfo.site_list,
        backend.siteinfo.ready_sites,
    ],
)
def test_what_is_not_configured_says_how_to_configure_it(ask):
    with pytest.raises(ConfigurationError, match=r'call dynamo_consistency.backend.configure\("backends.yaml"\)'):
        ask()


def test_the_last_backend_that_is_configured_answers(write, tmp_path):
    write("dump.tsv", "/store/mc/a\t5\n")
    file = write(
        "backends.yaml",
        f"""
        backends:
          default: {{type: file, sites: {{T2_A: {{inventory: {{url: {tmp_path}/dump.tsv}}}}}}}}
          other: {{type: file, sites: {{T2_B: {{inventory: {{url: {tmp_path}/dump.tsv}}}}}}}}
        """,
    )
    backend.configure(file)
    assert backend.siteinfo.site_list() == ["T2_A"]
    other = backend.configure(file, "other")
    assert backend.siteinfo.site_list() == ["T2_B"]
    assert backend.current() is other
    with pytest.raises(ConfigurationError):
        backend.configure(file, "third")
    assert backend.current() is other


def test_a_backend_object_can_be_configured_as_it_is(write, tmp_path):
    from types import SimpleNamespace

    mine = SimpleNamespace(siteinfo=SimpleNamespace(site_list=lambda: ["T2_MINE"]))
    backend.configure(mine)
    assert backend.siteinfo.site_list() == ["T2_MINE"]
