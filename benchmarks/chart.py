"""The chart of all tables that `make bench` has measured, for the documentation: a bar for each row, by its seconds."""

import html
import json
from pathlib import Path

WIDTH, LABELS, BARS, LINE = 880, 330, 320, 20
OURS, THEIRS = "#2563a8", "#a3a9b2"
PEERS = ("xrdfs", "bindings alone", "rce_", "sort", "davix", "gfal2", "mariadb", "psql", "psycopg")
_STYLE = "font-family='system-ui, sans-serif' font-size='13' fill='#444c56'"


def draw(results: Path, target: Path) -> None:
    """Draw all `results`/*.json as one SVG file; a table has its own scale."""
    y, parts = 10, []
    for file in sorted(results.glob("*.json")):
        table = json.loads(file.read_text())
        y += 24
        parts.append(f"<text x='10' y='{y}' font-weight='bold'>{html.escape(table['title'])}</text>")
        longest = max(row["seconds"] for row in table["rows"])
        for row in table["rows"]:
            y += LINE
            parts.append(_bar(row, y, longest))
        y += 10
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y + 10}' width='{WIDTH}' {_STYLE}>\n"
        f"<title>Seconds and memory of each part, beside its peers</title>\n"
        f"<rect width='{WIDTH}' height='{y + 10}' fill='#fff'/>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _bar(row: dict[str, str | float | bool], y: int, longest: float) -> str:
    seconds, peak = float(row["seconds"]), float(row["peak_mib"])
    length = max(1, round(BARS * seconds / longest))
    colour = THEIRS if str(row["what"]).startswith(PEERS) else OURS
    return (
        f"<text x='{LABELS - 8}' y='{y}' text-anchor='end'>{html.escape(str(row['what']))}</text>"
        f"<rect x='{LABELS}' y='{y - 11}' width='{length}' height='14' fill='{colour}'/>"
        f"<text x='{LABELS + length + 6}' y='{y}'>{seconds:.1f} s, {peak:,.0f} MiB</text>"
    )
