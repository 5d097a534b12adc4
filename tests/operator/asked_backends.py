"""A backends.yaml whose backend does as the test says, and the processes that ask it."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Backends:
    """A backends.yaml whose only backend is `ready_site`."""

    file: Path

    def feel(self, mood: str) -> None:
        """ready, unlisted, broken, hanging, or anything else: not ready."""
        self.file.with_name("mood").write_text(mood)

    def answer(self, reason: str = "", message: str = "") -> None:
        """What a process of a few milliseconds says in place of the real one, see `quick_answers`."""
        self.file.with_name("answer").write_text(json.dumps({"reason": reason, "message": message}))


def asking(backends: Backends) -> list[Path]:
    """The processes that ask a backend of this file now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:  # it has just ended
            continue
        if b"consistency_operator.loop.preflight_process" in command and str(backends.file).encode() in command:
            found.append(path)
    return found
