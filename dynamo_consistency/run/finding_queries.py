"""What reports and pages alike ask of findings, in SQL."""


def new_gone_standing(now: str, earlier: str) -> str:
    """The query of how many paths are only in the first of two lists of findings, only in the second, and in both."""
    return f"""
        SELECT count(*) FILTER (WHERE earlier.path IS NULL) AS new, count(*) FILTER (WHERE now.path IS NULL) AS gone,
               count(*) FILTER (WHERE now.path = earlier.path) AS standing
        FROM (SELECT DISTINCT path FROM {now}) AS now
        FULL JOIN (SELECT DISTINCT path FROM {earlier}) AS earlier ON now.path = earlier.path
    """
