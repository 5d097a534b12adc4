"""A node whose kubelet is played by the tests: its pods are processes of this machine.

The scheduler, the Job controller and garbage collection are the real ones; they see a node like any other. What a
container engine adds (images, security context, limits) is not there.
"""

import contextlib
import queue
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from cluster.api import STRATEGIC_PATCH, Api, ApiError, Object, path_of
from cluster.containers import Container, Running, now
from cluster.control_plane import ControlPlane
from cluster.kubelet_server import KubeletServer
from cluster.processes import WITH_US
from urllib3.exceptions import HTTPError

TICK_SECONDS = 0.05
BEAT_SECONDS = 4


class PlayedNode:
    """Runs pods until it is closed. Everything is done by one thread; the methods are for tests, from any thread."""

    def __init__(self, plane: ControlPlane, name: str = "played", pool: str = "common") -> None:
        """Only pods that tolerate the taint `pool` come to a node of another pool than the common one."""
        self.plane, self.name, self.pool = plane, name, pool
        self.api: Api = plane.api
        self.folder = plane.folder / name
        self.claims = plane.folder / "claims"
        self.instead: dict[str, str] = {}
        self.holds: Callable[[Object], bool] = lambda _: False
        self.dooms: Callable[[Object], bool] = lambda _: False
        self.running: dict[str, Running] = {}
        self.known: dict[str, Object] = {}
        self.started: set[str] = set()
        self.errors: list[str] = []
        self._events: queue.SimpleQueue[Object] = queue.SimpleQueue()
        self._stop, self._lost = threading.Event(), threading.Event()
        self._next_beat = 0.0
        self._server = KubeletServer(plane.certificates, self._log_of)

    # For tests

    def __enter__(self) -> "PlayedNode":
        self._register()
        self._threads = [threading.Thread(target=target) for target in (self._work, self._watch)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._server.close()
        for running in self.running.values():
            running.process.kill()
            running.process.wait()
        with contextlib.suppress(OSError):
            self.api.delete(path_of("Node", name=self.name))

    def hold(self, holds: Callable[[Object], bool]) -> None:
        """Pods for which `holds` says so are not started until it no longer does."""
        self.holds = holds

    def doom(self, dooms: Callable[[Object], bool]) -> None:
        """Pods for which `dooms` says so end as soon as they start, as if the kernel had run out of memory for them."""
        self.dooms = dooms

    def behave(self) -> None:
        """Nothing is held or doomed any more, and every program is the real one."""
        self.holds = self.dooms = lambda _: False
        self.instead = {}

    def lose(self) -> None:
        """The node falls silent; its processes go on."""
        self._lost.set()

    def find_again(self) -> None:
        self._next_beat = 0.0
        self._lost.clear()

    # The node itself

    def _register(self) -> None:
        taints = [] if self.pool == "common" else [{"key": "pool", "value": self.pool, "effect": "NoSchedule"}]
        labels = {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", "pool": self.pool}
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": labels},
            "spec": {"taints": taints},
        }
        self.api.create(node)
        lease = {"holderIdentity": self.name, "leaseDurationSeconds": 40}
        metadata = {"name": self.name, "namespace": "kube-node-lease"}
        with contextlib.suppress(ApiError):
            self.api.create(
                {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": lease},
                "kube-node-lease",
            )
        self._beat()

    def _beat(self) -> None:
        """Says that the node is well."""
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.api.patch(path_of("Lease", "kube-node-lease", self.name), {"spec": {"renewTime": moment}})
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Played",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": now(),
        }
        room = {"cpu": "1000", "memory": "4Ti", "pods": "2000", "ephemeral-storage": "4Ti"}
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.port}},
            "conditions": [ready],
            "capacity": room,
            "allocatable": room,
        }
        self.api.patch(path_of("Node", name=self.name, sub="status"), {"status": status}, STRATEGIC_PATCH)
        self._next_beat = time.monotonic() + BEAT_SECONDS

    def _watch(self) -> None:
        """Hands every state of every pod of this node to the other thread."""
        selector = f"fieldSelector=spec.nodeName%3D{self.name}"
        while not self._stop.is_set():
            try:
                listed = self.api.get(f"/api/v1/pods?{selector}")
                self._events.put({"type": "LISTED", "items": listed["items"]})
                for event in self.api.watch("/api/v1/pods", selector, listed["metadata"]["resourceVersion"], seconds=3):
                    self._events.put(event)
            except (OSError, HTTPError, ValueError):  # a server that a test restarts is asked again
                self._stop.wait(0.5)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._tick()
            except OSError:
                self.errors.append(traceback.format_exc())
            self._stop.wait(TICK_SECONDS)

    def _tick(self) -> None:
        if self._lost.is_set():
            return
        if time.monotonic() > self._next_beat:
            self._beat()
        while not self._events.empty():
            self._note(self._events.get())
        for uid in self.running.keys() - self.known.keys():
            self.running[uid].process.kill()
            self.running.pop(uid).process.wait()
        for uid, pod in list(self.known.items()):
            try:
                self._care(uid, pod)
            except (OSError, ValueError, KeyError) as error:  # one bad pod must not stop the others
                if uid not in self.started and isinstance(error, ApiError) and not error.code:
                    continue  # a server that a test holds up is asked again
                self.errors.append(f"{pod['metadata']['name']}: {traceback.format_exc()}")

    def _note(self, event: Object) -> None:
        if event["type"] == "LISTED":
            self.known = {pod["metadata"]["uid"]: pod for pod in event["items"]}
        elif event["type"] == "DELETED":
            self.known.pop(event["object"]["metadata"]["uid"], None)
        elif event["type"] in ("ADDED", "MODIFIED"):
            self.known[event["object"]["metadata"]["uid"]] = event["object"]

    # One pod

    def _care(self, uid: str, pod: Object) -> None:
        """The one next thing that is to be done for a pod."""
        running = self.running.get(uid)
        leaving = "deletionTimestamp" in pod["metadata"]
        if running is not None:
            if running.process.poll() is not None:
                self._report_end(uid, running)
            elif leaving:
                self._end(running, pod)
        elif leaving:
            self._forget(uid, pod)
        elif uid not in self.started and not self.holds(pod):  # the state of a pod that is watched may be an old one
            self._start(uid, pod)

    def _start(self, uid: str, pod: Object) -> None:
        container = Container(self.api, pod, self.folder / uid, self.claims)
        with container.log.open("wb") as log:
            process = subprocess.Popen(
                [*WITH_US, *container.command(self.instead)],
                env=container.environment(),
                cwd=container.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.started.add(uid)
        self.running[uid] = running = Running(container, process, now())
        if self.dooms(pod):
            running.reason = "OOMKilled"
            process.kill()
        state = {"running": {"startedAt": running.started}}
        self._write(running, "Running", state, ready=True)

    def _end(self, running: Running, pod: Object) -> None:
        """SIGTERM first, SIGKILL when the pod's grace is over."""
        moment = time.monotonic()
        if running.kill_at is None:
            running.kill_at = moment + pod["metadata"].get("deletionGracePeriodSeconds", 30)
            running.process.send_signal(signal.SIGTERM)
        elif moment > running.kill_at:
            running.process.kill()

    def _report_end(self, uid: str, running: Running) -> None:
        phase, state = running.ending()
        self._write(running, phase, state)
        del self.running[uid]

    def _write(self, running: Running, phase: str, state: Object, ready: bool = False) -> None:
        metadata = running.container.pod["metadata"]
        path = path_of("Pod", metadata["namespace"], metadata["name"], "status")
        body = {"metadata": {"uid": metadata["uid"]}, "status": running.status(phase, state, ready)}
        with _gone_is_fine():
            self.api.patch(path, body, STRATEGIC_PATCH)

    def _forget(self, uid: str, pod: Object) -> None:
        """The last word on a pod that is to go."""
        metadata = pod["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        with _gone_is_fine():
            self.api.request("DELETE", path_of("Pod", metadata["namespace"], metadata["name"]), options)
        del self.known[uid]

    def _log_of(self, namespace: str, name: str) -> str | None:
        for uid, pod in list(self.known.items()):
            log = self.folder / uid / "log"
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name) and log.exists():
                return log.read_text(errors="replace")
        return None


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        if error.code not in (404, 409):
            raise
