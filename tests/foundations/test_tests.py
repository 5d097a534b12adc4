"""Any tests run together, in any order: what they share has one name, and no two modules have the same."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TOGETHER = [
    ("operator/test_operator_process.py", "deploy/test_gitops.py"),
    ("rucio/test_rucio_machine.py", "action/test_machine.py"),
    ("rucio/test_rucio_and_rce.py", "xrootd/test_xrootd_listing.py"),
    ("rucio/test_rucio_mariadb.py", "dynamo/test_dynamo_connections.py"),
    ("e2e/test_whole_runs.py", "action/test_safety_rules.py", "operator/test_operator_flows.py"),
]


def modules() -> list[tuple[str, str]]:
    """The folder (empty for tests/ itself) and the name of all that an import can find, but not conftest."""
    files = [*TESTS.glob("*.py"), *TESTS.glob("*/*.py")]
    packages = {file.parent for file in TESTS.glob("*/*/*.py")}
    found = [path.relative_to(TESTS) for path in (*files, *packages) if path.stem != "conftest"]
    return [("" if path.parent == Path() else path.parts[0], path.stem) for path in found]


def imports(file: Path) -> Iterator[str]:
    """The dotted names of the modules, and of what is taken from them."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def imported() -> dict[Path, list[str]]:
    """What each file imports."""
    return {file: list(imports(file)) for file in TESTS.rglob("*.py")}


def test_nothing_is_imported_from_a_conftest_or_from_a_test(imported):
    private = {"conftest", *(name for _, name in modules() if name.startswith("test_"))}
    assert [(file, name) for file, names in imported.items() for name in names if private & set(name.split("."))] == []


def test_no_two_modules_have_the_same_name():
    names = Counter(name for _, name in modules())
    assert [name for name, number in names.items() if number > 1] == []


def test_no_module_hides_one_that_is_installed():
    installed = {*packages_distributions(), *sys.stdlib_module_names}
    assert [name for _, name in modules() if name in installed] == []


def test_a_module_is_known_by_one_name_only(imported):
    """Imported as `tests.folder.module` as well, it would be there twice, and its classes too."""
    assert [file for file, names in imported.items() if any(name.split(".")[0] == "tests" for name in names)] == []


def test_folders_whose_modules_are_used_elsewhere_are_on_the_path(imported, pytestconfig):
    """So that a test finds them when nothing of their folder runs with it."""
    homes = {name: folder for folder, name in modules()}
    on_path = {path.resolve() for path in map(TESTS.parent.joinpath, pytestconfig.getini("pythonpath"))}
    for file, names in imported.items():
        own = file.relative_to(TESTS).parts[0]
        used = {homes[name] for name in (name.split(".")[0] for name in names) if name in homes}
        assert {folder for folder in used - {own} if TESTS / folder not in on_path} == set(), file


@pytest.mark.slow
@pytest.mark.parametrize("back", [False, True], ids=["in_order", "reversed"])
@pytest.mark.parametrize("files", TOGETHER, ids=lambda files: " ".join(Path(file).stem for file in files))
def test_files_of_different_folders_are_collected_together(files, back):
    command = [Path(sys.executable).with_name("pytest"), "--collect-only", "-q", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    paths = [TESTS / file for file in files]
    done = subprocess.run(
        [*command, *(reversed(paths) if back else paths)],
        cwd=TESTS.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"tests/{file}::" in done.stdout for file in files)


def test_the_page_on_the_tests_has_every_folder():
    told = re.findall(r"^\| `(\w+)` \|", (TESTS / "README.md").read_text(), re.MULTILINE)
    assert told == sorted(path.name for path in TESTS.iterdir() if path.is_dir() and path.name[0] not in "._")
