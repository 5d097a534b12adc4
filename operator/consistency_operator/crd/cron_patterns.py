"""Cron lines as regular expressions: those that can be read, and those that name no day that there is.

They are no narrower than what the model of the check takes, and leave to it what no regular expression knows (`5-1`).
"""

from dynamo_consistency.check import CRON_MACROS

_GAP = "[[:space:]]+"
_MAYBE_GAP = "[[:space:]]*"
_STEP = "(/0*[1-9][0-9]*)?"

_MINUTE = "0*[0-5]?[0-9]"
_HOUR = "0*(1?[0-9]|2[0-3])"
_DAY = "0*([1-9]|[12][0-9]|3[01])"
_MONTH = "(0*([1-9]|1[0-2])|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_WEEKDAY = "(0*[0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)"


def _list_of(item: str) -> str:
    return f"{item}(,{item})*"


def _field(value: str, *others: str) -> str:
    """A field of a cron line: values, ranges and `*`, each with a step, and other forms."""
    return _list_of(f"({'|'.join([f'([*]|{value}(-{value})?){_STEP}', *others])})")


_FIELDS = (
    _field(_MINUTE),
    _field(_HOUR),
    _field(_DAY, f"LW?{_STEP}"),
    _field(_MONTH),
    _field(_WEEKDAY, "0*[0-7]L", f"{_WEEKDAY}#0*[1-5]"),
)

CRON = f"(?i)^(@({'|'.join(macro[1:] for macro in CRON_MACROS)})|{_MAYBE_GAP}{_GAP.join(_FIELDS)}{_MAYBE_GAP})$"


def _days_from(first: str) -> str:
    return _list_of(f"0*{first}(-[0-9]+)?{_STEP}")


_FEBRUARY = "(0*2|FEB)"
_SHORT_MONTH = "(0*([2469]|11)|FEB|APR|JUN|SEP|NOV)"
_ANY = "[^[:space:]]+"
_NO_DAYS = f"({_days_from('3[01]')}{_GAP}{_list_of(_FEBRUARY)}|{_days_from('31')}{_GAP}{_list_of(_SHORT_MONTH)})"

NEVER = f"(?i)^{_MAYBE_GAP}{_ANY}{_GAP}{_ANY}{_GAP}{_NO_DAYS}{_GAP}[*]"
"""The 30th of February and its like; with a weekday beside it such a line would run on that."""
