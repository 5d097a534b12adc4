"""How much memory a stage may use: what the container grants, or what the person says."""

import os
import re
from pathlib import Path

from dynamo_consistency.errors import ConfigurationError

SETTING = "DYNAMO_CONSISTENCY_MEMORY_LIMIT"

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def memory_limit() -> int:
    """Bytes that this process may use: the setting, else the container's limit, else the machine's memory.

    Raises ConfigurationError when the setting is not a number with an optional unit Ki, Mi, Gi.
    """
    setting = os.environ.get(SETTING)
    if setting:
        match = re.fullmatch(r"(\d+)(?:([KMG])i?B?)?", setting)
        if not match:
            raise ConfigurationError(f"{SETTING} is {setting!r}; write a size such as 1536Mi or 2Gi")
        return int(match[1]) * _UNITS[match[2] or ""]
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_container_limits()])


def _container_limits() -> list[int]:
    limits = []
    for path in _CGROUP_LIMITS:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):  # no such control group, or "max": no limit here
            continue
    return limits
