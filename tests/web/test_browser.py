"""The pages in a real browser: they obey their own policy, shut nobody out, and their scripts do their part."""

import itertools
from collections.abc import Iterator

import pytest
import sample_answers as sample
from in_chromium import SCHEMES, SIZES, opened, started
from playwright.sync_api import Browser, sync_playwright
from required_programs import require_programs
from sample_store import SAMPLES, make
from web_process import serving

from dynamo_consistency.web.pages.links import FileLinks
from dynamo_consistency.web.pages.site import site_page
from dynamo_consistency.web.pages.static import STATIC, static_file

pytestmark = pytest.mark.slow  # a browser computes more than all other tests of the pages

SITE = "T2_US_Nebraska"
PAGES = ("sites", "wall", "site", "run", "file", "error")
LOOKS = list(itertools.product(SIZES, SCHEMES))
NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_programs("chromium", install="apt-get install chromium")
    with sync_playwright() as playwright, started(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def addresses(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Of each kind of page, of a service that is asked as people start it."""
    store = tmp_path_factory.mktemp("served") / "store"
    make(store, SAMPLES, runs=3)
    run = max(folder.name for folder in (store / SITE).iterdir())
    with serving(store) as service:
        yield {
            "sites": service.url,
            "wall": f"{service.url}?wall",
            "site": f"{service.url}sites/{SITE}",
            "run": f"{service.url}sites/{SITE}/runs/{run}",
            "file": f"{service.url}file?site={SITE}&path=/store/mc/Summer20/<*",
            "error": f"{service.url}sites/T9_XX_Nowhere",
        }


def but_slow(looks: list[tuple[str, ...]], quick: set[tuple[str, ...]]) -> list[object]:
    """All of them; those that are not `quick` are for `make test-all`."""
    return [pytest.param(*look, marks=() if look in quick else pytest.mark.slow, id="-".join(look)) for look in looks]


@pytest.mark.parametrize(("size", "scheme"), but_slow(LOOKS, {("phone", "dark")}))
def test_nothing_breaks_the_policy_is_lacking_or_is_wider_than_the_screen(browser, addresses, size, scheme):
    for name in PAGES:
        with opened(browser, addresses[name], size, scheme) as one:
            assert one.page.locator("main h1").count() == 1
            assert one.said == ([NOT_FOUND] if name == "error" else [])
            assert one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    but_slow(
        [(name, *look) for name in PAGES for look in LOOKS], {("sites", "phone", "dark"), ("wall", "desktop", "light")}
    ),
)
def test_axe_finds_nothing_that_shuts_somebody_out(browser, addresses, name, size, scheme):
    with opened(browser, addresses[name], size, scheme, any_script=True) as one:
        assert one.violations() == []


def test_axe_finds_what_is_wrong_in_a_page(browser, addresses):
    with opened(browser, addresses["error"], "desktop", "light", any_script=True) as one:
        one.page.evaluate("document.body.append(document.createElement('button'))")
        assert [found.split(",")[0] for found in one.violations()] == ["button-name"]


@pytest.fixture
def site_file(tmp_path) -> str:
    """The address of the page of a site, as a file."""
    (tmp_path / "static").mkdir()
    for name in STATIC:
        (tmp_path / "static" / name).write_bytes(static_file(name))
    (tmp_path / "page.html").write_text(site_page(sample.site_answer(), FileLinks(0, set(), set(), set())))
    return f"file://{tmp_path}/page.html"


def test_a_chart_tells_its_numbers_at_the_pointer_and_to_those_who_cannot_see_it(browser, site_file):
    with opened(browser, site_file, "desktop", "light") as one:
        last = one.page.locator("svg.chart").first.locator("rect.hit").last
        last.hover()
        tip = one.page.locator(".tip")
        assert tip.is_visible()
        assert tip.text_content() == last.get_attribute("aria-label")
        assert tip.text_content().startswith("2026-11-22 10:00 UTC, run 20261122T100000Z-t2-xx\nUnfinished: ")
        assert "on" in last.get_attribute("class").split()
        one.page.keyboard.press("Escape")
        assert not tip.is_visible()
        assert one.said == []


def test_the_wall_loads_itself_anew_but_not_under_the_hands_of_somebody(browser, addresses):
    with opened(browser, "about:blank", "desktop", "light") as one:
        one.page.clock.install()
        one.page.goto(addresses["wall"])
        loaded = []
        one.page.on("load", lambda page: loaded.append(page.url))
        one.page.keyboard.press("Tab")
        one.page.clock.fast_forward(61_000)
        one.page.locator("main").click(position={"x": 1, "y": 1})
        assert loaded == []
        with one.page.expect_event("load"):
            one.page.clock.fast_forward(61_000)
        assert one.said == []
