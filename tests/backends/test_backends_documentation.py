"""The examples of docs/backends.md work as they are printed there."""

import re
from pathlib import Path

from dynamo_consistency.backend import configure

PAGE = (Path(__file__).parents[2] / "docs/backends.md").read_text(encoding="utf-8")
FOLDER = "/store/mc/Era/Primary/TIER/x-v1"


def block(after: str, language: str) -> str:
    """The first block of code in `language` after a text of the page."""
    match = re.search(rf"```{language}\n(.*?)```", PAGE[PAGE.index(after) :], re.DOTALL)
    assert match
    return match[1]


def test_the_backend_in_24_lines_carries_a_whole_check(write, site, importable, run_whole, found):
    code = block("executed by tests", "python")
    code = (
        code.replace("T2_MINE", "T2_TEST")
        .replace("/mnt/storage", str(site))
        .replace("/srv/inventory", str(site.parent))
    )
    assert len([line for line in code.splitlines() if line.strip()]) == 24
    importable("my_backend", code)
    write("T2_TEST.csv", f"{FOLDER}/a,5\n{FOLDER}/b c,5\n{FOLDER}/gone,7\n")
    backend = configure(write("backends.yaml", "backends: {default: {type: module, module: my_backend}}\n"))

    run, summary = run_whole(backend)

    assert summary["result"] == "Complete", summary["reason"]
    assert found(run, "missing") == [f"{FOLDER}/gone"]
    assert found(run, "orphan") == [f"{FOLDER}/orphan"]
    assert found(run, "empty_directory") == ["/store/mc/empty"]


def test_the_optional_names_on_the_page_are_those_that_are_used():
    from dynamo_consistency.backend import plugin_guard

    table = PAGE[PAGE.index("| optional name") : PAGE.index("Whatever foreign code raises")]
    named = set(re.findall(r"`([\w.]+)\(", table)) | {"registry.request_transfer"}
    assert named == set(plugin_guard._OPTIONAL)
    assert all(f"`{name}(" in PAGE for name in plugin_guard._REQUIRED)
