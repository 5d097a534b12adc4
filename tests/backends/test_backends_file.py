"""`backends.yaml`: every mistake is told with file, line and field, and what would be right."""

import pytest

from dynamo_consistency.backend import backends_file, configure
from dynamo_consistency.errors import ConfigurationError

FILE_ENTRY = "{type: file, sites: {T2_X: {inventory: {url: x}}}}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("backend:\n  default: {}\n", ":1: backend: unknown key; did you mean backends?"),
        ("[1, 2]\n", ":1: one YAML document with the key backends is expected"),
        ("", ":1: one YAML document with the key backends is expected"),
        ("backends: {}\n", ":1: backends: must be a mapping of names to backends"),
        ("backends:\n  default:\n    url: x\n", ":2: backends.default: needs a type, one of dynamo, file, module"),
        ("backends:\n  default: 3\n", ":2: backends.default: needs a type, one of dynamo, file, module"),
        (
            "backends:\n  default:\n    type: dynamoo\n",
            ":3: backends.default.type: there is no type 'dynamoo'; did you mean dynamo?",
        ),
        (
            "backends:\n  default:\n    type: quantum\n",
            ":3: backends.default.type: there is no type 'quantum'; known are dynamo, file, module",
        ),
        (
            "backends:\n  default:\n    type: module\n    modul: x\n",
            ":4: backends.default.modul: unknown key; did you mean module?",
        ),
        ("backends:\n  a:\n    type: module\n    module: ''\n", ":4: backends.a.module: must not be empty"),
        ("backends:\n  a: {}\n  b: {}\n  a: {}\n", ":4: backends.a: the key stands here twice"),
        (
            "backends:\n  a:\n    type: file\n    sites:\n      T2_X:\n        inventory: {url: x, fromat: csv}\n",
            ":6: backends.a.sites.T2_X.inventory.fromat: unknown key; did you mean format?",
        ),
        (
            "backends:\n  a:\n    type: file\n    sites:\n      T2_X:\n        inventry: {url: x}\n",
            ":6: backends.a.sites.T2_X.inventry: unknown key; did you mean inventory?",
        ),
        (
            "backends:\n  a:\n    type: file\n    sites:\n      ../x: {inventory: {url: x}}\n",
            ":5: backends.a.sites.../x",
        ),
        (
            "backends:\n  a: {type: file, sites: {T2_X: {inventory: {url: x, format: list, columns: {path: 1}}}}}\n",
            ":2: backends.a.sites.T2_X.inventory: columns must not be given where format is list",
        ),
        (
            "backends:\n  a: {type: dynamo, url: 'oracle://db/dynamo'}\n",
            ":2: backends.a.url: 'oracle' is no driver that is known here",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(write, text, complaint):
    path = write("backends.yaml", text)
    with pytest.raises(ConfigurationError) as told:
        configure(path)
    assert f"{path}{complaint}" in str(told.value)


def test_all_mistakes_of_an_entry_are_told_at_once(write):
    path = write("backends.yaml", "backends:\n  a:\n    type: file\n    sits: {}\n    requests: ''\n")
    with pytest.raises(ConfigurationError) as told:
        backends_file.read(path)
    assert len(str(told.value).splitlines()) == 3  # sits, requests, and sites which is lacking


def test_a_backend_that_is_not_there_is_told_with_those_that_are(write):
    path = write("backends.yaml", f"backends: {{default: {FILE_ENTRY}, dumps: {FILE_ENTRY}}}\n")
    with pytest.raises(ConfigurationError, match=r"there is no backend 'dump'; did you mean dumps\?"):
        configure(path, "dump")
    with pytest.raises(ConfigurationError, match="there is no backend 'x'; known are default, dumps"):
        configure(path, "x")


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(ConfigurationError, match=r"/nowhere/backends\.yaml: cannot be read: No such file or directory"):
        configure("/nowhere/backends.yaml")


def test_a_password_file_that_is_not_there_is_told_with_the_entry_that_names_it(write):
    entry = "  b: {type: dynamo, url: 'mysql+pymysql://me@db/dynamo', passwordFile: /nowhere/password}\n"
    path = write("backends.yaml", f"backends:\n  a: {FILE_ENTRY}\n{entry}")
    with pytest.raises(ConfigurationError) as told:
        configure(path, "b")
    assert str(told.value) == (
        f"{path}:3: backends.b: the secret file /nowhere/password cannot be read: No such file or directory"
    )


def test_a_password_in_a_wrong_url_is_not_repeated(write):
    path = write("backends.yaml", "backends: {default: {type: dynamo, url: 'mysql+pymysql://me:hunter2@db'}}\n")
    with pytest.raises(ConfigurationError) as told:
        configure(path)
    assert "hunter2" not in str(told.value)


def test_without_a_file_there_is_an_inventory_of_our_own(tmp_path):
    backend = backends_file.open_backend(backends_file.embedded(tmp_path / "inventory.sqlite"), "default")
    backend.init()
    assert backend.siteinfo.site_list() == []
