"""What a kubelet works out of a pod before it starts a container: volumes, environment, command."""

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cluster.api import Api, Object, path_of
from cluster.volumes import folder_of

PROGRAMS = Path(sys.executable).parent
TERMINATION_LOG = "/dev/termination-log"
# Folders of this machine that processes share with it, rather than having one of their own in that place.
SHARED = ("/tmp",)  # noqa: S108


@dataclass
class Container:
    """A container that is a process: paths of the pod, in arguments and environment, become paths of this machine."""

    api: Api
    pod: Object
    folder: Path
    claims: Path
    mounts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.spec,) = self.pod["spec"]["containers"]
        self.folder.mkdir(parents=True, exist_ok=True)
        volumes = {volume["name"]: volume for volume in self.pod["spec"].get("volumes", [])}
        for mount in self.spec.get("volumeMounts", []):
            source = self._source(volumes[mount["name"]])
            if mount["mountPath"] not in SHARED and source is not None:
                self.mounts[mount["mountPath"]] = str(source / mount.get("subPath", ""))
        self.message.touch()
        self.mounts[self.spec.get("terminationMessagePath", TERMINATION_LOG)] = str(self.message)

    @property
    def message(self) -> Path:
        return self.folder / "termination-log"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    def _source(self, volume: Object) -> Path | None:
        """The folder behind a volume; None for tokens, which processes get otherwise."""
        folder = self.folder / "volumes" / volume["name"]
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        if "persistentVolumeClaim" in volume:
            folder = folder_of(self.claims, self.namespace, volume["persistentVolumeClaim"]["claimName"])
        elif "secret" in volume:
            self._write_secret(volume["secret"]["secretName"], folder)
        elif "emptyDir" not in volume:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _write_secret(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        secret = self.api.get(path_of("Secret", self.namespace, name))
        for key, value in secret.get("data", {}).items():
            (folder / key).write_bytes(base64.b64decode(value))

    def translate(self, text: str) -> str:
        """Every path of the pod in `text`, at its place on this machine."""
        paths = sorted(self.mounts, key=len, reverse=True)
        pattern = rf"(?<![\w/.-])({'|'.join(map(re.escape, paths))})(?![\w.-])"
        return re.sub(pattern, lambda found: self.mounts[found[1]], text)

    def environment(self) -> dict[str, str]:
        given: dict[str, str] = {}
        for variable in self.spec.get("env", []):
            given[variable["name"]] = self.translate(_expanded(self._value(variable), given))
        return {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "LANG": "C.UTF-8", **given}

    def _value(self, variable: Object) -> str:
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            return _field(self.pod, source["fieldRef"]["fieldPath"])
        if "secretKeyRef" in source:
            wanted = source["secretKeyRef"]
            data = self.api.get(path_of("Secret", self.namespace, wanted["name"]))["data"]
            return base64.b64decode(data[wanted["key"]]).decode()
        return str(variable.get("value", ""))

    def command(self, instead: Mapping[str, str]) -> list[str]:
        """`instead`: programs that are replaced by others, by their names."""
        program, *rest = self.spec["command"]
        program = instead.get(program, program)
        found = shutil.which(program, path=f"{PROGRAMS}:{os.environ['PATH']}") or program
        environment = self.environment()
        arguments = (_expanded(argument, environment) for argument in (*rest, *self.spec.get("args", [])))
        return [found, *map(self.translate, arguments)]

    def last_words(self, exit_code: int) -> str:
        """The termination message; of a failure without one the end of the log, if the pod wants that."""
        message = self.message.read_bytes()[:4096].decode(errors="replace")
        fallback = self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if message or exit_code == 0 or not fallback or not self.log.exists():
            return message
        return self.log.read_text(errors="replace")[-2048:]


def _expanded(text: str, known: dict[str, str]) -> str:
    """`$(NAME)` becomes its value if it is known, and `$$` a dollar, as Kubernetes does it."""
    return re.sub(r"\$(?:(\$)|\((\w+)\))", lambda found: found[1] or known.get(found[2], found[0]), text)


def _field(pod: Object, path: str) -> str:
    """`metadata.annotations['x']`, `spec.nodeName`, …"""
    found: object = pod
    for plain, quoted in re.findall(r"(\w+)|\['([^']+)'\]", path):
        found = found.get(quoted or plain, "") if isinstance(found, dict) else ""
    return str(found)


@dataclass
class Running:
    """A container's process; `reason` is why it ended, where its exit code does not tell."""

    container: Container
    process: subprocess.Popen[bytes]
    started: str
    kill_at: float | None = None
    reason: str = ""

    def ending(self) -> tuple[str, Object]:
        """The pod's phase and the container's state, now that the process has ended."""
        code = self.process.returncode
        code = 128 - code if code < 0 else code
        ended = {
            "exitCode": code,
            "reason": self.reason or ("Completed" if code == 0 else "Error"),
            "message": self.container.last_words(code),
            "startedAt": self.started,
            "finishedAt": now(),
        }
        return ("Succeeded" if code == 0 else "Failed"), {"terminated": ended}

    def status(self, phase: str, state: Object, ready: bool) -> Object:
        """The pod's status, as a kubelet writes it."""
        metadata, spec = self.container.pod["metadata"], self.container.spec
        container = {
            "name": spec["name"],
            "image": spec["image"],
            "imageID": "played",
            "containerID": f"played://{metadata['uid']}",
            "restartCount": 0,
            "ready": ready,
            "started": ready,
            "state": state,
        }
        truth = "True" if ready else "False"
        return {
            "phase": phase,
            "podIP": "127.0.0.1",
            "startTime": self.started,
            "containerStatuses": [container],
            "conditions": [
                {"type": kind, "status": truth, "lastTransitionTime": now()} for kind in ("Ready", "ContainersReady")
            ],
        }


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
