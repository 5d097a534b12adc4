"""What all answers have in common."""

from datetime import datetime
from typing import Literal
from urllib.parse import quote_from_bytes

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from dynamo_consistency.paths import visible

GateState = Literal["Ready", "Pending", "Rejected"]


class Answer(BaseModel):
    """Base of the models: they do not change, and are in JSON as `summary.json` is, in camelCase."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class Name(Answer):
    """An LFN or a part of one.

    text: for the eye; bytes that are not UTF-8 or do not print are escapes such as `\\xff`.
    quoted: its bytes, percent-encoded, as they stand in a query: `/file?path={quoted}`.
    """

    text: str
    quoted: str

    @classmethod
    def of(cls, path: bytes) -> "Name":
        return cls(text=visible(path), quoted=quote_from_bytes(path))


class Problem(Answer):
    """Something of a run, or of a site, that is damaged or cannot be read, in a sentence. The rest is shown."""

    site: str
    run_id: str | None
    message: str


class RunReference(Answer):
    """A run, as far as another page tells of it. `result` is Complete, Invalid, Failed, Unfinished or Unreadable.

    reason: why it is not complete, else empty. start_time: None where the run does not say.
    """

    run_id: str
    result: str
    reason: str
    start_time: datetime | None
    end_time: datetime | None


class Gate(Answer):
    """A gate as the run found it: the value, its limit, and a sentence for a person."""

    name: str
    state: GateState | str
    observed: str
    limit: str
    message: str
