"""A page as a browser and those who cannot see it find it, and the laws that hold for each."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr"}
PAGE_ELEMENTS = {
    "html", "head", "title", "body", "main", "header", "footer", "nav", "section", "div", "span", "p", "h1", "h2", "ul",
    "li", "a", "b", "small", "code", "pre", "dl", "dt", "dd", "time", "table", "caption", "thead", "tbody", "tr", "th",
    "td", "form", "label", "select", "option", "button", "details", "summary", "script", "noscript", *VOID,
}  # fmt: skip
CHART_ELEMENTS = {"svg", "g", "path", "rect", "line", "circle", "text", "title", "defs", "pattern", "a"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    pieces: list[str] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        found = [child for child in self.children if child.tag == tag]
        return found + [deep for child in self.children for deep in child.all(tag)]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def words(self) -> str:
        """The text as it is read out: elements are apart."""
        return " ".join(" ".join(self.pieces).split())

    def inside(self, tag: str) -> bool:
        return self.parent is not None and (self.parent.tag == tag or self.parent.inside(tag))


class Page(HTMLParser):
    """The elements of a page; every tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Element("", {}, None)
        self._open = [self.root]
        self.elements: list[Element] = []
        self.feed(html)
        self.close()
        assert len(self._open) == 1, self._open[-1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), attrs
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open[-1])
        self._open[-1].children.append(element)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)

    def with_tag(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def rows(self) -> list[list[str]]:
        return [[cell.words for cell in row.children] for row in self.with_tag("tr")]

    @property
    def links(self) -> set[str]:
        return self.values("href", "src", "action")

    def values(self, *names: str) -> set[str]:
        """Of attributes of these names, of all elements."""
        return {value for element in self.elements for name, value in element.attributes.items() if name in names}

    @property
    def words(self) -> str:
        return self.root.words


def is_lawful(html: str) -> Page:
    """Nothing inline, nothing from elsewhere, nothing that is not ours, and a name for all that needs one."""
    page = Page(html)
    for element in page.elements:
        known = CHART_ELEMENTS if element.inside("svg") or element.tag == "svg" else PAGE_ELEMENTS
        assert element.tag in known, element.tag
        assert not [name for name in element.attributes if name == "style" or name.startswith("on")]
        assert not re.match(r"(?i)\s*(https?:|//|javascript:|data:)", element.attributes.get("href", ""))
    assert all("src" in script.attributes and not script.words for script in page.with_tag("script"))
    assert "\x1b" not in html
    _has_names(page)
    return page


def _has_names(page: Page) -> None:
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    shared = {name for name in ids if ids.count(name) > 1}
    assert shared <= {"hatching-key"}
    named = page.values("for", "aria-labelledby")
    assert named <= set(ids)
    assert len(page.with_tag("h1")) == len(page.with_tag("main")) == 1
    assert all(table.all("caption") for table in page.with_tag("table"))
    assert all("scope" in cell.attributes for cell in page.with_tag("th"))
    scrolled = [one.attributes for one in page.with_tag("div") if one.attributes.get("class") == "scroll"]
    assert all(one["tabindex"] == "0" and {"aria-label", "aria-labelledby"} & set(one) for one in scrolled)
    asked = [one for tag in ("input", "select") for one in page.with_tag(tag) if one.attributes.get("type") != "hidden"]
    assert {one.attributes["id"] for one in asked} <= {label.attributes["for"] for label in page.with_tag("label")}
    for svg in page.with_tag("svg"):
        assert {"aria-label", "aria-hidden"} & set(svg.attributes) or svg.children[0].tag == "title"
    assert page.with_tag("html")[0].attributes["lang"] == "en"
    assert page.with_tag("title")[0].words
