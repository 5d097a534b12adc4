"""Asking site and backend before a run begins: in a process of its own, which can be ended when it hangs.

A thread that waits for a database for ever could not be; and what a backend's drivers do to memory or to the event loop
is no concern of the operator. The process holds the credentials, the operator never does.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from consistency_operator.plan import NotReady, Preflight
from consistency_operator.settings import OperatorSettings
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.secrets import redact
from dynamo_consistency.sentences import shortened

COMMAND = (sys.executable, "-m", "consistency_operator.loop.preflight_process")
KILL_AFTER = 2  # seconds


class Preflights:
    """Asks backends, each for a few sites at a time: one that hangs keeps only its own sites waiting.

    `answered`: when each backend last gave an answer, be it that the site is not ready.
    """

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self._semaphores: dict[str, asyncio.Semaphore] = {}
        self.answered: dict[str, datetime] = {}

    async def ask(self, check: SiteConsistencyCheck, run_id: str) -> Preflight:
        """Whether the site is ready and something lists it, within the time that settings allow. Never raises."""
        spec = check.spec
        needs_listers = ["--listers"] if spec.listing.source is None else []
        arguments = ["--backends", self._settings.backends, "--backend", spec.backend, "--site", spec.site]
        seconds = self._settings.preflight_seconds
        semaphore = self._semaphores.setdefault(
            spec.backend, asyncio.Semaphore(self._settings.max_concurrent_preflights)
        )
        reason: NotReady = "BackendUnreachable"
        async with semaphore:
            now, version = datetime.now(UTC), self.backends_version()
            try:
                async with asyncio.timeout(seconds):
                    reason, message = await self._answer([*COMMAND, *arguments, *needs_listers])
            except TimeoutError:
                message = f"the backend {spec.backend} did not answer within {seconds} seconds"
            except (OSError, ValueError) as error:
                message = f"the backend {spec.backend} could not be asked: {error}"
        if reason not in ("BackendUnreachable", "Misconfigured"):
            self.answered[spec.backend] = now
        return Preflight(run_id, now, ok=not reason, reason=reason, message=message, backends=version)

    def backends_version(self) -> str:
        """Another one whenever backends.yaml is another file; empty while there is none."""
        try:
            file = Path(self._settings.backends).stat()
        except OSError:
            return ""
        return f"{file.st_mtime_ns}/{file.st_ino}/{file.st_size}"

    async def _answer(self, command: Sequence[str]) -> tuple[NotReady, str]:
        """What the process answers, reason and message. Raises ValueError when it ends without an answer."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            output, errors = await process.communicate()
        finally:
            await _ended(process)
        try:
            answer = json.loads(output.splitlines()[-1])
            return answer["reason"], answer["message"]
        except (IndexError, KeyError, TypeError, ValueError):
            raise ValueError(f"exit code {process.returncode}, {_last_line(errors)}") from None


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End the process, if it has not ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_AFTER):
                await process.wait()


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return shortened(redact(lines[-1]), 300) if lines else "and it said nothing"
