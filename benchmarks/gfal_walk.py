"""Walks a site with gfal2's own bindings, one directory at a time as its commands do, and throws away what it sees.

Run by the system's Python, which has the bindings (Debian: python3-gfal2).
"""

import stat
import sys

import gfal2


def main(top: str) -> None:
    context = gfal2.creat_context()
    waiting = [top]
    while waiting:
        url = waiting.pop()
        directory = context.opendir(url)
        while True:
            entry, status = directory.readpp()
            if entry is None:
                break
            if stat.S_ISDIR(status.st_mode) and entry.d_name not in (".", ".."):
                waiting.append(f"{url}/{entry.d_name}")


if __name__ == "__main__":
    main(sys.argv[1])
