"""The pages, and the blocks between fences in them: each with its language, its line, and the words before it."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(
    str(page.relative_to(REPOSITORY))
    for page in (*REPOSITORY.glob("*.md"), REPOSITORY / "tests/README.md", *(REPOSITORY / "docs").rglob("*.md"))
    if page.name != "CHANGELOG.md"
)


@dataclass(frozen=True)
class Fence:
    """A block of a page. line: of its first line of text. section: the heading `## …` that it is below."""

    page: str
    line: int
    language: str
    text: str
    before: str
    section: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that it is, if that is said: by a comment with its name as first line, or by the words before."""
        first = re.match(r"# (\S+\.\w+)\n", self.text)
        named = [first[1]] if first else re.findall(r"`([\w./-]+\.(?:yaml|json))`[^`]*$", self.before)
        return named[-1] if named else None


@functools.cache
def fences(page: str) -> list[Fence]:
    """All of a page, in their order."""
    found, before, section = [], "", ""
    for token in _tokens(page):
        if token.type == "inline":
            before = token.content
        elif token.type == "heading_close" and token.tag == "h2":
            section = before
        elif token.type in ("fence", "code_block"):
            assert token.map
            language = token.info.split()[0] if token.info.strip() else ""
            found.append(Fence(page, token.map[0] + 2, language, token.content, before, section))
            before = ""
    return found


def of_language(page: str, *languages: str) -> list[Fence]:
    return [fence for fence in fences(page) if fence.language in languages]


def every(*languages: str) -> list[Fence]:
    return [fence for page in PAGES for fence in of_language(page, *languages)]


def inline_code(page: str) -> list[tuple[int, str]]:
    """What stands between backticks in the text of a page, with its line."""
    return [
        (token.map[0] + 1, inner.content.replace(r"\|", "|"))
        for token in _tokens(page)
        if token.type == "inline" and token.map
        for inner in token.children or []
        if inner.type == "code_inline"
    ]


@functools.cache
def _tokens(page: str) -> list[Token]:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(text)
