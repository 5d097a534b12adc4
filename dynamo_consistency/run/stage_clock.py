"""Whether the clock was set while a stage worked: then the times that the stage wrote down mean nothing."""

import time

MOST_SECONDS = 60
"""A clock that is led to the right time slowly takes the other one along; one that is set jumps."""
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first also counts while a machine sleeps


class StageClock:
    """Begins with a stage, and is asked at its end."""

    def __init__(self) -> None:
        self._wall, self._steady = time.time(), time.clock_gettime(_STEADY)

    def jump(self, what: str) -> str:
        """Why the times of the stage mean nothing, in a sentence; empty where they do. `what`: was being done."""
        passed = time.clock_gettime(_STEADY) - self._steady
        jumped = time.time() - self._wall - passed
        if abs(jumped) <= MOST_SECONDS:
            return ""
        return (
            f"while {what} the clock of this machine was set {'forward' if jumped > 0 else 'back'} by "
            f"{abs(jumped):.0f} seconds, so that the times that were written down mean nothing; "
            "see that it is right, and run it again"
        )
