"""Real xrootd and cmsd daemons for the tests, on free ports of 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Daemon:
    """One `xrootd` or `cmsd`. It refuses to be root, so that root starts it as the user `xrootd`."""

    def __init__(self, program: str, directory: Path, port: int, lines: str) -> None:
        self.program, self.directory, self.port = program, directory, port
        self.process: subprocess.Popen[bytes] | None = None
        for part in ("store", "admin", "run"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        self.configuration = directory / f"{program}.cf"
        self.configuration.write_text(
            f"all.export /store\noss.localroot {directory}\nxrd.port {port}\n"
            f"all.adminpath {directory}/admin\nall.pidpath {directory}/run\n{lines}"
        )
        if os.geteuid() == 0:
            for path in (directory, directory / "admin", directory / "run"):
                shutil.chown(path, "xrootd", "xrootd")

    @property
    def url(self) -> str:
        return f"root://127.0.0.1:{self.port}"

    @property
    def store(self) -> Path:
        """What the server shows as /store."""
        return self.directory / "store"

    def start(self, listens: bool = True) -> "Daemon":
        self.process = self._begun()
        deadline = time.monotonic() + START_SECONDS
        while listens and not self._listens():
            if time.monotonic() > deadline:
                logs = "".join(path.read_text(errors="replace")[-2000:] for path in self.directory.rglob("*.log"))
                self.stop()
                raise RuntimeError(f"{self.program} does not start: {logs}")
            if self.process.poll() is not None:  # while it was down, another program may have had its port
                time.sleep(1)
                self.process = self._begun()
            time.sleep(0.05)
        return self

    def _begun(self) -> subprocess.Popen[bytes]:
        as_xrootd = ["setpriv", "--reuid", "xrootd", "--regid", "xrootd", "--clear-groups"]
        log = self.directory / "run" / f"{self.program}.log"
        command = [self.program, "-c", str(self.configuration), "-l", str(log)]
        return subprocess.Popen(
            (as_xrootd if os.geteuid() == 0 else []) + command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
            env={name: value for name, value in os.environ.items() if not name.startswith("XRD")},
        )

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def freeze(self) -> None:
        """It keeps its connections and says nothing any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """As hard as a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Daemons:
    """Makes daemons, each with a directory of its own that the user `xrootd` can read, and ends them all."""

    def __init__(self) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="xrd-", dir="/tmp"))
        self._base.chmod(0o755)
        self._all: list[Daemon] = []

    def server(self, name: str = "server", lines: str = "") -> Daemon:
        return self.start("xrootd", name, free_port(), lines)

    def directory(self, name: str) -> Path:
        """One more directory that the daemons can read."""
        (self._base / name).mkdir()
        return self._base / name

    def cluster(self, *names: str) -> "Cluster":
        return Cluster(self, names)

    def start(self, program: str, name: str, port: int, lines: str, listens: bool = True) -> Daemon:
        daemon = Daemon(program, self._base / name, port, lines)
        self._all.append(daemon)
        return daemon.start(listens)

    def close(self) -> None:
        for daemon in self._all:
            daemon.stop()
        shutil.rmtree(self._base, ignore_errors=True)


class Cluster:
    """A redirector and the data servers behind it, by name."""

    def __init__(self, daemons: Daemons, names: tuple[str, ...]) -> None:
        self._daemons, self._meeting = daemons, free_port()
        lines = f"all.manager 127.0.0.1:{self._meeting}\nall.role manager\ncms.delay startup 2 servers 1\n"
        daemons.start("cmsd", "redirector", self._meeting, lines)
        self.redirector = daemons.start("xrootd", "redirector", free_port(), lines)
        self.servers = {name: self.join(name) for name in names}

    def join(self, name: str) -> Daemon:
        """Start another data server."""
        lines = f"all.manager 127.0.0.1:{self._meeting}\nall.role server\ncms.space min 1m 1m\n"
        # The cmsd comes first, else the xrootd tries to meet it only every ten seconds. It takes no connections.
        self._daemons.start("cmsd", name, free_port(), lines, listens=False)
        return self._daemons.start("xrootd", name, free_port(), lines)

    def known(self) -> int:
        """How many data servers the redirector knows."""
        from pyxrootd import client

        status, locations = client.FileSystem(self.redirector.url).deeplocate("*", 0, 5)
        return len(locations) if status["ok"] else 0

    def wait_for(self, servers: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.known() != servers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the redirector knows {self.known()} data servers, not {servers}")
            time.sleep(0.2)
