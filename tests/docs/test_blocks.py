"""Every block on the pages and in README.md is read or run: YAML by its reader, commands in a shell, in their order."""

import contextlib
import functools
import itertools
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from command_line import OURS, read_line
from console import commands
from fences import PAGES, REPOSITORY, Fence, every, fences, inline_code, of_language
from kubectl_stand_in import read_plugin_line
from programs import PROGRAMS
from required_programs import require_programs
from scenes import ALSO, BARE, DIRECTORY, Scene, clone, with_runs
from stand_ins import Call, Refused, shell
from yaml_on_pages import VALUES, judge, merged

pytestmark = pytest.mark.timeout(600)  # kustomize may have to be built

WITH_COMMANDS = [page for page in PAGES if of_language(page, "console", "sh")]
SLOW = {"docs/reference/pages.md"}

# What is not judged here, by page and language, and why. Each is one less that this file looks at.
ELSEWHERE = {
    ("docs/backends.md", "python"): "tests/backends/test_backends_documentation.py, and below",
    ("docs/dynamo.md", "sql"): "tests/dynamo/test_dynamo_accounts.py",
    ("docs/explanation/architecture.md", "python"): "tests/docs/test_adding.py",
    ("docs/explanation/architecture.md", "yaml"): "tests/docs/test_adding.py",
    ("docs/how-to/coming-from-rce.md", "yaml"): "the command below it reads it",
    ("docs/how-to/look.md", "apache"): "tests/web/test_web_proxy.py",
    ("docs/listers-gfal.md", "Dockerfile"): "no image is built",
    ("docs/reference/run-directory.md", "sql"): "below",
    ("docs/rucio.md", "sql"): "tests/rucio/test_rucio_connections.py",
}
NOT_TYPED = {
    "fpath+=": "zsh, which the tests do not need",
    ". .venv/share/fish": "fish, which the tests do not need",
}
NOT_COMPARED = {"tools/image/build": "the size of an image that is not built here"}

HOW = "name what it is behind ```; tests/README.md says how to write a block"


def here(*languages: str) -> list[Fence]:
    return [fence for fence in every(*languages) if (fence.page, fence.language) not in ELSEWHERE]


def test_every_block_is_judged_or_shown():
    judged = {"yaml", "console", "sh", "python", "json", "toml"}
    others = [
        f"{fence}: {fence.language!r}"
        for page in PAGES
        for fence in fences(page)
        if fence.language not in judged | {"text"} and (page, fence.language) not in ELSEWHERE
    ]
    assert others == [], HOW


def test_nothing_is_merely_shown_that_could_be_typed():
    typed = [fence for fence in every("text") for word in fence.text.split()[:1] if word in {"$", *PROGRAMS}]
    shown = [str(fence) for fence in typed if not fence.page.endswith("commands.md")]  # its usage is generated
    assert shown == [], "this is console, or sh"


def test_what_is_judged_elsewhere_is_still_there():
    assert {(fence.page, fence.language) for page in PAGES for fence in fences(page)} >= ELSEWHERE.keys()


@pytest.mark.parametrize("fence", here("yaml"), ids=str)
def test_yaml_is_what_its_reader_takes(fence, tmp_path):
    judge(fence, tmp_path)


@pytest.mark.parametrize("fence", here("json", "toml"), ids=str)
def test_data_can_be_parsed(fence):
    {"json": json.loads, "toml": tomllib.loads}[fence.language](fence.text)


@pytest.fixture(scope="session")
def small_site(tmp_path_factory) -> Path:
    """See `scenes.with_runs`."""
    folder = tmp_path_factory.mktemp("small-site")
    with_runs(folder)
    return folder


@pytest.fixture
def scene(request, small_site, tmp_path) -> Iterator[Scene]:
    """The folder of the page that the test is about."""
    page = request.getfixturevalue("page")
    clone(tmp_path)
    if page not in BARE:
        shutil.copytree(small_site, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("site"))
    with contextlib.ExitStack() as stack:
        if page in ALSO:
            ALSO[page](tmp_path, stack)
        yield Scene(tmp_path, small_site / "site")


def pages(with_slow: set[str]) -> list[Any]:
    return [pytest.param(page, marks=[pytest.mark.slow] if page in with_slow else []) for page in WITH_COMMANDS]


@pytest.mark.parametrize("page", pages(SLOW))
def test_commands_do_what_the_page_says(page, scene):
    require_programs("jq", install="apt-get install jq")
    wrong = []
    with shell(scene.folder, PROGRAMS) as opened:
        for fence in fences(page):
            scene.write(fence)
            for typed in commands(fence) if fence.language in ("console", "sh") else []:
                if typed.command.startswith(tuple(NOT_TYPED)):
                    continue
                code, output = opened.type(scene.typed(typed.command))
                said = f"{page}:{typed.line}: {typed.command}\n"
                if code and not typed.may_fail:
                    wrong.append(f"{said}exit code {code}: {output}")
                elif (difference := typed.compare(output, scene)) and typed.command not in NOT_COMPARED:
                    wrong.append(said + difference)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("fence", here("python"), ids=str)
def test_python_runs(fence):
    exec(compile(fence.text, str(fence), "exec"), {"__name__": "block"})  # noqa: S102 (our own page)


@pytest.mark.parametrize("page", ["docs/backends.md"])
def test_the_interface_answers_as_the_first_example_asks_it(page, scene, monkeypatch):
    first, _ = of_language(page, "python")
    monkeypatch.chdir(scene.folder)
    names: dict[str, Any] = {}
    exec(first.text, names)  # noqa: S102 (our own page)
    assert names["backend"].siteinfo.site_list() == ["T2_DE_RWTH"]


@pytest.mark.parametrize("page", ["docs/reference/run-directory.md"])
def test_the_runs_of_all_sites_are_one_query_away(page, scene, monkeypatch):
    (query,) = of_language(page, "sql")
    monkeypatch.chdir(scene.folder)
    assert len(duckdb.sql(scene.typed(query.text).replace("/…", f"/{DIRECTORY}/file.root")).fetchall()) == 2


@pytest.fixture(scope="session")
def shared_clone(tmp_path_factory) -> Path:
    """See `scenes.clone`; for what only looks whether a file is there."""
    folder = tmp_path_factory.mktemp("clone")
    clone(folder)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_commands_within_a_sentence_could_be_typed(page, shared_clone):
    """They are not run, and may be cut off: by `…`, or where they are named with an option alone."""
    wrong = []
    for line, text in inline_code(page):
        words = as_words(text)
        try:
            if words[:1] and words[0] in OURS:
                read_line(words)
            elif words[:2] == ["kubectl", "consistency"]:
                read_plugin_line(words[2:])
            elif words[1:] and words[0] in ("kubectl", "helm", "make", "pip"):
                PROGRAMS[words[0]](Call(words[0], words[1:], shared_clone, {}, whole=False))
        except Refused as error:
            if "requires an argument" not in str(error):
                wrong.append(f"{page}:{line}: {text}: {error}")
    assert wrong == []


def test_values_of_the_chart_in_sentences_are_values(tmp_path):
    """`store.url`, `web.enabled: true`: what the page on installing has beside commands in its part on Helm."""
    page = "docs/how-to/install.md"
    lines = (REPOSITORY / page).read_text().splitlines()
    part = range(lines.index("## With Helm"), lines.index("## Settings"))
    told = [text for line, text in inline_code(page) if line in part and re.match(r"\w+(\.\w+)+(: |$)|\w+: ", text)]
    assert len(told) > 8
    values: dict[str, Any] = {}
    for text in told:
        path, _, value = text.partition(": ")
        functools.reduce(lambda inside, name: inside[name], path.split("."), VALUES)  # KeyError: there is none
        if value:
            nested = functools.reduce(
                lambda inner, name: {name: inner}, reversed(path.split(".")), yaml.safe_load(value)
            )
            values = merged(values, nested)
    judge(Fence(page, part[0], "yaml", yaml.safe_dump(values), ""), tmp_path)


def as_words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:  # part of something
        return []
    return list(itertools.takewhile(lambda word: word != "…" and not word.startswith("<"), words))
