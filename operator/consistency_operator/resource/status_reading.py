"""Reading a status that an older or newer operator has written, or a person: it is never a reason to fail."""

from typing import Any

from pydantic import ValidationError

from consistency_operator.resource.status import CheckStatus

_LISTS = ("conditions", "history")


def read_status(data: Any) -> CheckStatus:
    """The status in a resource's body. What cannot be understood counts as absent, and unknown keys are ignored.

    That is a field as a whole, as half of a run would say what is not true; of conditions and history it is one item.
    """
    known = dict(data) if isinstance(data, dict) else {}
    try:
        return CheckStatus.model_validate(known)
    except ValidationError as error:
        rest = _without_broken(known, {problem["loc"][:2] for problem in error.errors(include_url=False)})
    return read_status(rest) if rest != known else CheckStatus()


def _without_broken(data: dict[str, Any], broken: set[tuple[int | str, ...]]) -> dict[str, Any]:
    whole = {name for name, *item in broken if not item or name not in _LISTS}
    parts = {name: data[name] for name in _LISTS if name in data and name not in whole}
    kept = {
        name: [item for place, item in enumerate(items) if (name, place) not in broken] for name, items in parts.items()
    }
    return {key: value for key, value in data.items() if key not in whole} | kept
