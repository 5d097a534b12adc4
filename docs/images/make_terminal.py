"""Draws `terminal.svg`, the first run of the demo and its history: `python docs/images/make_terminal.py`.

The real commands run on a terminal of 100 columns; rich, which colours their output, draws what came.
"""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

HERE = Path(__file__).parent
PICTURE = HERE / "terminal.svg"
COLUMNS = 100
SHOWN = ("run", "history")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shown = outputs_of_the_demo()
    PICTURE.write_text(drawn(shown), encoding="utf-8")


def outputs_of_the_demo() -> list[tuple[str, str]]:
    """The command and its output, for the first of each of `SHOWN`."""
    sys.path.insert(0, str(HERE.parents[1] / "examples/demo"))
    import demo

    taken: dict[str, tuple[str, str]] = {}

    def run(*words: str) -> None:
        output = on_a_terminal([str(demo.COMMAND), *words])
        taken.setdefault(words[0], (f"dynamo-consistency {' '.join(words)}", output))

    demo.run = run
    demo.main()
    return [taken[command] for command in SHOWN]


def on_a_terminal(command: list[str]) -> str:
    """What it writes on stdout, with its colours; bars and logs, which are on stderr, are left out."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    with subprocess.Popen(command, stdout=its, stderr=subprocess.DEVNULL, env=environment) as process:  # noqa: S603
        os.close(its)
        written = b""
        while piece := read(ours):
            written += piece
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return written.decode().replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # a terminal that nobody writes to any more
        return b""


def drawn(shown: list[tuple[str, str]]) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for command, output in shown:
        console.print(Text(f"$ {command}", style="bold"), Text.from_ansi(output), sep="\n")
    without_foreign_fonts = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="dynamo-consistency", code_format=without_foreign_fonts, unique_id="terminal")


if __name__ == "__main__":
    main()
