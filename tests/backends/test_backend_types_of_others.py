"""Backend types that an installed package brings."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "example_package"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The example package, really built and installed, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site-packages")
    source = tmp_path_factory.mktemp("source")
    for file in PACKAGE.iterdir():  # the build must leave nothing in the checkout
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(source)],
        check=True,
        timeout=100,
    )
    return folder


def test_its_options_are_read_and_its_backend_answers(write, prompt, installed):
    write("backends.yaml", "backends: {default: {type: notebook, files: {T2_TEST: {/store/mc/a: 5}}}}\n")
    said = prompt(
        """
        from dynamo_consistency import backend
        backend.configure("backends.yaml")
        ((name, size, time),) = backend.inventory.list_files("T2_TEST")
        print(backend.siteinfo.site_list(), name, size, time.year, backend.check_site("T2_X"))
        """,
        installed,
    )
    assert said == "['T2_TEST'] /store/mc/a 5 1970 False\n"


def test_its_options_are_checked_like_all_others(write, prompt, installed):
    write("backends.yaml", "backends:\n  default:\n    type: notebook\n    file: {}\n")
    said = prompt(
        """
        from dynamo_consistency import backend
        try:
            backend.configure("backends.yaml")
        except backend.configured.ConfigurationError as error:
            print(error)
        """,
        installed,
    )
    assert "backends.yaml:4: backends.default.file: unknown key; did you mean files?" in said


def test_it_is_named_among_the_types_that_are_known(write, prompt, installed):
    write("backends.yaml", "backends: {default: {type: notebok}}\n")
    said = prompt(
        """
        from dynamo_consistency import backend
        try:
            backend.configure("backends.yaml")
        except backend.configured.ConfigurationError as error:
            print(error)
        """,
        installed,
    )
    assert said == ("backends.yaml:1: backends.default.type: there is no type 'notebok'; did you mean notebook?\n")


def test_its_secret_is_in_no_message(write, prompt, installed):
    write("token", "s3cr3t-t0ken\n")
    write("backends.yaml", "backends: {default: {type: notebook, files: {T2_TEST: {}}, tokenFile: token}}\n")
    said = prompt(
        """
        from dynamo_consistency import backend
        from dynamo_consistency.errors import BackendError
        backend.configure("backends.yaml")
        try:
            backend.registry.delete("T2_TEST", ["/store/mc/a"])
        except BackendError as error:
            print(error)
        """,
        installed,
    )
    assert said == ("registry.delete of the backend default failed: RuntimeError: the server refused the token ***\n")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("Options = dict\ndef open_backend(options): pass", "Options is no pydantic model"),
        ("x = 1", "has no attribute 'Options'"),
    ],
)
def test_a_type_that_cannot_be_loaded_is_named(write, prompt, tmp_path, module, reason):
    write("broken_backend.py", module)
    write("broken-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    write("broken-1.dist-info/entry_points.txt", "[dynamo_consistency.backends]\nbroken = broken_backend\n")
    write("backends.yaml", "backends: {default: {type: broken}}\n")
    said = prompt(
        """
        from dynamo_consistency import backend
        try:
            backend.configure("backends.yaml")
        except backend.configured.ConfigurationError as error:
            print(error)
        """,
        tmp_path,
    )
    assert said.startswith("the backend type broken (broken_backend) cannot be loaded: ")
    assert reason in said
