"""What reports and pages alike ask of findings, in SQL."""


def new_gone_standing(now: str, earlier: str) -> str:
    """The query of how many paths are only in the first of two lists of findings, only in the second, and in both."""
    return f"""
        SELECT count(*) FILTER (WHERE earlier.path IS NULL) AS new, count(*) FILTER (WHERE now.path IS NULL) AS gone,
               count(*) FILTER (WHERE now.path = earlier.path) AS standing
        FROM (SELECT DISTINCT path FROM {now}) AS now
        FULL JOIN (SELECT DISTINCT path FROM {earlier}) AS earlier ON now.path = earlier.path
    """


def directory_of(depth: int) -> str:
    """The directory that a finding is counted for, an SQL expression: its own, cut `depth` components below its root.

    As text DuckDB can cut a path at its slashes: bytes outside printable ASCII become `\\xNN`, and back again.
    """
    parts = "string_split(path::VARCHAR, '/')"
    last = f"least(len({parts}) - 1, len(string_split(rtrim(root, '/'), '/')) + {depth})"
    return f"array_to_string({parts}[1 : {last}], '/')::BLOB"
