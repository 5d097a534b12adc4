"""What a request asks for: the values of its query, as bytes, since file names are bytes."""

from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from dynamo_consistency.paths import to_text

LONGEST = 16_384
_MOST_FIELDS = 16
Choice = TypeVar("Choice", bound=str)


class WrongQueryError(Exception):
    """A value that means nothing here; the sentence is for whoever asked."""


class Query:
    """The first value of each name. Raises WrongQueryError for a query that is no query."""

    def __init__(self, request: Request) -> None:
        text = request.scope["query_string"].decode("latin-1")  # each byte is a character, and comes back as it was
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, encoding="latin-1")
        except ValueError:
            raise WrongQueryError(f"a query has at most {_MOST_FIELDS} fields") from None
        self._values: dict[str, bytes] = {name: value.encode("latin-1") for name, value in reversed(pairs)}

    def raw(self, name: str) -> bytes:
        """Empty where it is not given."""
        return self._values.get(name, b"")

    def text(self, name: str) -> str:
        """As text; `paths.to_bytes` gives the same bytes back."""
        return to_text(self.raw(name))

    def choice(self, name: str, *choices: Choice) -> Choice | None:
        """One of `choices`; None where it is not given."""
        value = self.text(name)
        if not value:
            return None
        for choice in choices:
            if choice == value:
                return choice
        raise WrongQueryError(f"{name} must be one of {', '.join(choices)}")

    def flag(self, name: str) -> bool:
        """Given, and not 0 or false."""
        return name in self._values and self.text(name).lower() not in ("0", "false")
