"""Pods of the FakeCluster as real processes: the worker commands of the manifests, on real data."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fake_jobs import End
from fake_store import Body
from real_command import COMMAND

MESSAGE_LIMIT = 4096
LOG_TAIL = 2048


@dataclass
class Kubelet:
    """Runs a pod of a Job. `claims` and `secrets` are folders under `root`; `interfere` may end a pod instead."""

    root: Path
    interfere: Callable[[Body, int | None], End | None] = lambda job, index: None
    started: list[str] = field(default_factory=list)

    def claim(self, name: str) -> Path:
        """The folder of a PersistentVolumeClaim."""
        return self._folder("claims", name)

    def secret(self, name: str, files: dict[str, str]) -> None:
        for file, text in files.items():
            (self._folder("secrets", name) / file).write_text(text)

    async def __call__(self, job: Body, index: int | None) -> End:
        container = job["spec"]["template"]["spec"]["containers"][0]
        self.started.append(f"{job['metadata']['name']}/{index if index is not None else ''}")
        if end := self.interfere(job, index):
            return end
        with tempfile.TemporaryDirectory(dir=self.root) as scratch:
            places = self._places(job["spec"]["template"]["spec"], container, Path(scratch))
            log = places[container["terminationMessagePath"]]
            command = [_mapped(part, places) for part in container["args"]]
            assert container["command"] == ["dynamo-consistency"]
            environment = {entry["name"]: _mapped(entry["value"], places) for entry in container["env"]}
            if index is not None:
                environment["JOB_COMPLETION_INDEX"] = str(index)
            code, output = await _run([COMMAND, *command], environment)
            return End(code, _message(Path(log), code, output))

    def _places(self, pod: Body, container: Body, scratch: Path) -> dict[str, str]:
        """Where the paths of the container are on this machine."""
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        places = {container["terminationMessagePath"]: str(scratch / "termination-log")}
        for mount in container["volumeMounts"]:
            match volumes[mount["name"]]:
                case {"persistentVolumeClaim": {"claimName": name}}:
                    places[mount["mountPath"]] = str(self.claim(name))
                case {"secret": {"secretName": name}}:
                    places[mount["mountPath"]] = str(self._folder("secrets", name))
                case {"emptyDir": _}:
                    places[mount["mountPath"]] = str(scratch)
        return places

    def _folder(self, kind: str, name: str) -> Path:
        folder = self.root / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _mapped(value: str, places: dict[str, str]) -> str:
    """A path of the container as a path of this machine; all else as the kubelet gives it on."""
    value = value.replace("$$", "$")
    for inside, outside in places.items():
        if value == inside or value.startswith(f"{inside}/"):
            return outside + value.removeprefix(inside)
    return value


async def _run(command: list[str], environment: dict[str, str]) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return await process.wait(), output


def _message(log: Path, code: int, output: bytes) -> str:
    """FallbackToLogsOnError, as the kubelet does it."""
    written = log.read_bytes() if log.exists() else b""
    if not written and code != 0:
        written = output[-LOG_TAIL:]
    return written[:MESSAGE_LIMIT].decode(errors="replace")
