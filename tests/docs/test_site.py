"""The pages as a site: all in an order, every link leads somewhere, and nothing is loaded from another host."""

import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from console import commands
from fences import every
from in_chromium import SCHEMES, SIZES, opened, started
from playwright.sync_api import Browser, sync_playwright
from pygments.lexers import get_lexer_by_name
from pygments.token import Generic
from required_programs import require_programs

from dynamo_consistency import backend
from dynamo_consistency.backend import contract

REPOSITORY = Path(__file__).parents[2]
SETTINGS = REPOSITORY / "mkdocs.yml"
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data", "video": "src"}
FOREIGN = re.compile(r"(?:https?:)?//")


def build(settings: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", settings, "--site-dir", site]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=REPOSITORY, env=quiet, capture_output=True, text=True, check=False)


def pages_in(order: Any) -> Iterator[str]:
    if isinstance(order, str):
        yield order
    for part in order if isinstance(order, list) else order.values() if isinstance(order, dict) else ():
        yield from pages_in(part)


def test_every_page_has_one_place_in_the_order():
    order = yaml.safe_load("nav:" + SETTINGS.read_text().split("\nnav:", 1)[1])["nav"]
    pages = [str(page.relative_to(REPOSITORY / "docs")) for page in (REPOSITORY / "docs").rglob("*.md")]
    assert sorted(pages_in(order)) == sorted(pages)


def test_all_that_is_typed_is_told_from_what_is_printed():
    """By colours, and by the button that copies: prompts and what is printed are not copied (site.css)."""
    console = get_lexer_by_name("console")
    for fence in every("console"):
        pieces = console.get_tokens(fence.text)
        copied = "".join(text for kind, text in pieces if kind not in (Generic.Prompt, Generic.Output))
        typed = "\n".join(one.command for one in commands(fence))
        assert [line.strip() for line in copied.splitlines() if line.strip()] == [
            line.strip() for line in typed.splitlines() if line.strip()
        ], fence


class Loads(HTMLParser):
    """What a page makes a browser fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(given.get("href") or "")
        if tag in LOADED:
            self.addresses.append(given.get(LOADED[tag]) or "")
        self.addresses += re.findall(r"url\(['\"]?([^)'\"]+)", given.get("style") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    built = build(SETTINGS, place)
    assert built.returncode == 0, built.stderr
    return place


@pytest.mark.slow
class TestTheSite:
    def test_has_a_page_for_each_and_none_of_our_scripts(self, site):
        assert len(list(site.rglob("index.html"))) >= len(list((REPOSITORY / "docs").rglob("*.md")))
        assert list(site.rglob("*.py")) == []

    def test_loads_nothing_from_another_host(self, site):
        foreign = []
        for page in site.rglob("*.html"):
            loads = Loads()
            loads.feed(page.read_text())
            assert loads.addresses
            foreign += [address for address in loads.addresses if FOREIGN.match(address)]
        for style in site.rglob("*.css"):
            foreign += re.findall(r"""(?:@import|url\()\s*['"]?((?:https?:)?//[^'")]+)""", style.read_text())
        assert foreign == []

    def test_has_every_public_name_of_the_python_interface(self, site):
        page = (site / "reference/python/index.html").read_text()
        names = set(backend.__all__) | set(contract.__all__)
        assert {name for name in names if not re.search(rf'id="dynamo_consistency\.[\w.]*\b{name}"', page)} == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("[there](nowhere.md)", {}, "nowhere.md"),
        ("[there](#nowhere)", {}, "#nowhere"),
        ("all is well", {"lost.md": "# Lost"}, "lost.md"),
    ],
    ids=["a dead link", "a dead anchor", "a page that is not in the order"],
)
def test_the_site_is_not_built_with(text, more, said, tmp_path):
    for name, content in {"index.md": f"# A page\n\n{text}\n", **more}.items():
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / name).write_text(content)
    settings = tmp_path / "mkdocs.yml"
    settings.write_text(f"INHERIT: {SETTINGS}\ndocs_dir: docs\nextra_css: []\nnav: [index.md]\n")
    built = build(settings, tmp_path / "site")
    assert built.returncode == 1
    assert said in built.stderr


@pytest.mark.slow
def test_a_version_is_published_beside_the_others_and_the_last_is_called_latest(tmp_path):
    """As `make docs-publish` does, in a clone of what is committed."""
    subprocess.run(["git", "clone", "--quiet", "--shared", REPOSITORY, tmp_path / "clone"], check=True)
    person = {f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    programs = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def ran(*command: str) -> str:
        environment = os.environ | person | programs
        done = subprocess.run(command, cwd=tmp_path / "clone", env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    for version in ("3.0", "3.1"):
        ran("mike", "deploy", "--update-aliases", version, "latest")
    published = json.loads(ran("git", "show", "gh-pages:versions.json"))
    assert [(one["version"], one["aliases"]) for one in published] == [("3.1", ["latest"]), ("3.0", [])]
    assert "Documentation" in ran("git", "show", "gh-pages:3.0/index.html")


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_programs("chromium", install="apt-get install chromium")
    with sync_playwright() as playwright, started(playwright) as browser:
        yield browser


@pytest.mark.slow
class TestInABrowser:
    @pytest.mark.parametrize(("size", "scheme"), list(zip(SIZES, SCHEMES, strict=True)))
    def test_pages_fit_the_screen_and_ask_only_their_own_host(self, browser, address, size, scheme):
        asked: list[str] = []
        for page in ("", "reference/check/", "reference/python/", "explanation/safety/"):
            with opened(browser, "about:blank", size, scheme) as one:
                one.page.on("request", lambda request: asked.append(request.url))
                one.page.goto(address + page, wait_until="networkidle")
                width = one.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert (page, width) == (page, 0)
        assert [url for url in asked if not url.startswith(address)] == []

    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_words_stand_out_and_links_are_not_told_by_colour_alone(self, browser, address, scheme):
        with opened(browser, address + "tutorials/first-check/", "desktop", scheme) as one:
            found = [rule for rule in one.violations() if rule.startswith(("color-contrast", "link-in-text-block"))]
            assert found == []

    def test_what_is_copied_from_a_terminal_can_be_typed(self, browser, address):
        with opened(browser, address + "how-to/install/", "desktop", "light") as one:
            one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            one.page.locator(".highlight", has_text="kubectl explain").get_by_role("button").first.click()
            one.page.get_by_text("Copied").wait_for()
            copied = one.page.evaluate("navigator.clipboard.readText()")
            assert copied.splitlines()[1] == "kubectl explain sitecheck.spec.policy"

    def test_a_search_finds_a_page(self, browser, address):
        with opened(browser, address, "desktop", "light") as one:
            one.page.get_by_role("textbox", name="Search").fill("glossary")
            found = one.page.locator(".md-search-result__link").first
            found.wait_for()
            assert "glossary" in found.inner_text().lower()
