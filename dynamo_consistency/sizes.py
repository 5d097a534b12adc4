"""Sizes in bytes as text for people: the one form that terminal, reports and logs share."""

UNKNOWN = "\N{EN DASH}"
"""The text for a number that is not known."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def human_size(number: int | None) -> str:
    """`number` bytes in the largest binary unit that gives 1 or more: 1536 is `1.5 KiB`. `UNKNOWN` for None or -1."""
    if number is None or number < 0:
        return UNKNOWN
    value, units = float(number), list(_UNITS)
    while value >= 1023.95 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:,.0f} B" if units[0] == "B" else f"{value:,.1f} {units[0]}"
