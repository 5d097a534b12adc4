"""Pages opened in Debian's Chromium, as people with a desk or a phone see them, and what the browser says of them."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
SCHEMES = ("light", "dark")


class Opened:
    """A page, and what has come to its console since it was opened, with errors of scripts and what was not loaded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("requestfailed", lambda request: self.said.append(f"{request.url}: {request.failure}"))

    def violations(self) -> list[str]:
        """What axe finds, with all its rules: the rule, and the first element that breaks it."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}, {len(one['nodes'])} times, first {one['nodes'][0]['html']}" for one in found]


def started(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=shutil.which("chromium"))


@contextlib.contextmanager
def opened(browser: Browser, address: str, size: str, scheme: str, *, any_script: bool = False) -> Iterator[Opened]:
    """any_script: also those that the policy of the page forbids, such as axe's."""
    context = browser.new_context(color_scheme=scheme, bypass_csp=any_script, **SIZES[size])
    with context:
        page = Opened(context.new_page())
        page.page.goto(address)
        yield page
