"""Run as a script by the Python that has gfal2, which may be an old one: asks gfal2, and answers on stdout.

A line of JSON in is a request, {"do": "list" | "rmdir" | "lstat", "url": URL}; the lines of JSON out are its answer:
any number of {"entries": [[name, mode, type, size, mtime], …]}, then {"end": number of entries}, or {"error": errno,
"reason": text} instead. The first line is {"ready": version} or {"absent": reason}. Bytes of a URL that are not UTF-8
are surrogates. Imports nothing of ours.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

CHUNK = 1000
EILSEQ = 84


def main() -> None:
    """Answer requests until stdin ends. The only argument is the time limit of a request, in whole seconds."""
    replies = os.fdopen(os.dup(1), "w")  # what libraries print on stdout is no answer
    os.dup2(2, 1)

    def say(**answer: object) -> None:
        replies.write(json.dumps(answer) + "\n")
        replies.flush()

    try:
        gfal2 = importlib.import_module("gfal2")
    except ImportError as error:
        say(absent=str(error))
        return
    context = gfal2.creat_context()
    context.set_opt_integer("CORE", "NAMESPACE_TIMEOUT", int(sys.argv[1]))
    say(ready=gfal2.get_version())
    for line in sys.stdin:
        request = json.loads(line)
        url = request["url"].encode("utf-8", "surrogateescape")
        try:
            if request["do"] == "list":
                say(end=_list(context, url, say))
            elif request["do"] == "lstat":
                status = context.lstat(url)
                say(entries=[["", status.st_mode, 0, status.st_size, status.st_mtime]])
                say(end=1)
            else:
                context.rmdir(url)
                say(end=0)
        except gfal2.GError as error:
            say(error=error.code, reason=str(error))
        except UnicodeDecodeError:
            say(error=EILSEQ, reason="it has a name that is not UTF-8, which gfal2 cannot tell")


def _list(context: Any, url: bytes, say: Callable[..., None]) -> int:
    """Send the entries; returns their number. Raises what gfal2 raises."""
    count = 0
    entries: list[list[object]] = []
    directory = context.opendir(url)
    while True:
        entry, status = directory.readpp()
        if entry is None:
            break
        name = entry.d_name
        if name in (".", ".."):
            continue
        entries.append([name, status.st_mode, entry.d_type, status.st_size, status.st_mtime])
        count += 1
        if len(entries) == CHUNK:
            say(entries=entries)
            entries = []
    say(entries=entries)
    return count


if __name__ == "__main__":
    main()
