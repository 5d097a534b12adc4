"""Real WebDAV servers for the tests, on free ports of 127.0.0.1: Apache's mod_dav, and XRootD's HTTP door."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 60
APACHE = "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
LOADED = ("mpm_event", "authz_core", "dav", "dav_fs", "ssl")

APACHE_LINES = """\
ServerRoot {base}
PidFile {base}/run/pid
Listen 127.0.0.1:{port}
ServerName localhost
ErrorLog {base}/run/error.log
DavLockDB {base}/run/lock
DocumentRoot {base}/site
MaxKeepAliveRequests 0
StartServers 1
ThreadsPerChild 32
MaxRequestWorkers 64
<Directory {base}/site>
  Dav On
  Require all granted
</Directory>
{lines}
"""
XROOTD = """\
all.export /store
oss.localroot {base}/site
xrd.port {other}
xrd.protocol XrdHttp:{port} libXrdHttp.so
all.adminpath {base}/run
all.pidpath {base}/run
{lines}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class WebServer:
    """A server that shows `site`, a directory of its own; `lines` are added to its configuration."""

    program: str
    user: str

    def __init__(self, lines: str = "") -> None:
        self.base = Path(tempfile.mkdtemp(prefix="webdav-", dir="/tmp"))
        self.base.chmod(0o755)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        for part in ("site/store", "run"):
            (self.base / part).mkdir(parents=True)
        self._configuration = self.base / "configuration"
        self._configuration.write_text(self._configured(lines.replace("BASE", str(self.base))))
        if os.geteuid() == 0:
            shutil.chown(self.base / "run", self.user)

    def _configured(self, lines: str) -> str:
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError

    @property
    def site(self) -> Path:
        return self.base / "site"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "WebServer":
        unprivileged = ["setpriv", "--reuid", self.user, "--clear-groups"] if os.geteuid() == 0 else []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("XRD")}
        self._process = subprocess.Popen(
            unprivileged + self._command(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.base,
            env=environment,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                logs = "".join(path.read_text(errors="replace")[-2000:] for path in self.base.rglob("*log"))
                self.stop()
                raise RuntimeError(f"{self.program} does not start: {logs}")
            time.sleep(0.05)
        return self

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


class Apache(WebServer):
    """mod_dav. It takes the names as they are in the file system, and shows no links."""

    program, user = "apache2", "www-data"

    def _configured(self, lines: str) -> str:
        loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in LOADED)
        return loaded + APACHE_LINES.format(base=self.base, port=self.port, lines=lines)

    def _command(self) -> list[str]:
        return [APACHE, "-f", str(self._configuration), "-D", "FOREGROUND"]


class XRootDHttp(WebServer):
    """XRootD's HTTP door. It encodes nothing in its answers, and follows links."""

    program, user = "xrootd", "xrootd"

    def _configured(self, lines: str) -> str:
        return XROOTD.format(base=self.base, port=self.port, other=free_port(), lines=lines)

    def _command(self) -> list[str]:
        return ["xrootd", "-c", str(self._configuration), "-l", str(self.base / "run" / "log")]
