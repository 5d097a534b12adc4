"""The pages in a real browser: they obey their own policy, and charts tell their numbers on hover."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sample_answers as sample
from required_programs import require_programs
from sample_store import SAMPLES, make

from dynamo_consistency.web.pages.links import FileLinks
from dynamo_consistency.web.pages.site import site_page
from dynamo_consistency.web.pages.static import STATIC, static_file

SITE = "T2_US_Nebraska"
HOVER = """<script>
addEventListener("load", () => document.querySelector("rect.hit:last-of-type").dispatchEvent(
  new PointerEvent("pointermove", {bubbles: true, clientX: 9, clientY: 9})));
</script></body>"""


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    require_programs("chromium", install="apt-get install chromium")


def look(address: str, profile: Path) -> tuple[str, str]:
    """The page as it is after it has been loaded, and what the console says."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={profile}"]
    done = subprocess.run(
        ["chromium", *options, "--dump-dom", address], capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a service that is asked as people start it."""
    folder = tmp_path_factory.mktemp("served")
    store = make(folder / "store", [one for one in SAMPLES if one.site == SITE], runs=3)
    command = [Path(sys.executable).with_name("dynamo-consistency"), "serve", "--store", store.url]
    with subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True) as service:
        found = next(re.search(r"http://\S+", line) for line in service.stderr if "http://" in line)
        yield found[0]
        service.terminate()


def test_no_page_breaks_the_policy_that_it_is_served_with(address, tmp_path):
    for path in ("", "?wall", f"sites/{SITE}", f"file?site={SITE}&path=/store/*"):
        page, console = look(f"{address}{path}", tmp_path / "profile")
        assert "<main" in page
        assert console == ""


def test_a_chart_tells_its_numbers_at_the_pointer(tmp_path):
    for name in STATIC:
        (tmp_path / "static").mkdir(exist_ok=True)
        (tmp_path / "static" / name).write_bytes(static_file(name))
    html = site_page(sample.site_answer(), FileLinks(0, set(), set(), set()))
    (tmp_path / "page.html").write_text(html.replace("</body>", HOVER))
    page, console = look(f"file://{tmp_path}/page.html", tmp_path / "profile")
    assert console == ""
    [tip] = re.findall(r'<div class="tip"[^>]*>([^<]*)</div>', page)
    assert tip.startswith("2026-11-22 10:00 UTC, run 20261122T100000Z-t2-xx\nUnfinished: ")
    assert re.search(r'class="hit on"', page)
