"""Behind a web server, as docs/how-to/look.md has it: a log-in, and a prefix before every path."""

import base64
import contextlib
import hashlib
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fences import of_language
from made_runs import Made
from required_programs import require_programs
from web_process import serving

PAGE = Path(__file__).parents[2] / "docs/how-to/look.md"
APACHE, MODULES = "/usr/sbin/apache2", Path("/usr/lib/apache2/modules")
LOADED = "mpm_event authn_core authn_file authz_core authz_user auth_basic headers proxy proxy_http"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def apache(folder: Path, site: str) -> Iterator[str]:
    """The URL of a server with this part of a configuration."""
    port = free_port()
    lines = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED.split()]
    lines += [f'ServerRoot "{folder}"', "ServerName localhost", f"Listen 127.0.0.1:{port}", "PidFile apache.pid"]
    lines += ["User www-data", "Group www-data"] if os.geteuid() == 0 else []
    (folder / "apache.conf").write_text("\n".join([*lines, 'ErrorLog "apache.log"', site]))
    with subprocess.Popen([APACHE, "-X", "-f", str(folder / "apache.conf")]) as server:
        try:
            while not answers(port):
                assert server.poll() is None, (folder / "apache.log").read_text()
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that Apache's own user may look into, which pytest's are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def url(store, open_folder) -> Iterator[str]:
    """Of Apache, set up by the page, before the service, as the page starts it."""
    require_programs(APACHE, install="apt-get install apache2-bin")
    Made().write(store)
    (block,) = of_language("docs/how-to/look.md", "apache")
    site = block.text
    assert "--root-path /consistency\n" in PAGE.read_text()
    users = open_folder / "users"
    users.write_text("ada:{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode() + "\n")  # noqa: S324
    with serving(store, "--root-path", "/consistency") as service:
        site = site.replace("http://127.0.0.1:8080/", service.url.removesuffix("consistency/"))
        with apache(open_folder, site.replace("/etc/apache2/consistency.users", str(users))) as url:
            yield url


def get(url: str, user: str = "") -> tuple[int, str]:
    headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()} if user else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_who_has_logged_in_may_read_and_others_may_not(url):
    assert get(f"{url}/consistency/api/v1/sites")[0] == 401
    status, text = get(f"{url}/consistency/api/v1/sites", "ada:secret")
    assert (status, '"site":"T2_X"' in text) == (200, True)
    assert get(f"{url}/consistency/healthz", "ada:secret") == (200, "ok\n")
    assert get(f"{url}/api/v1/sites", "ada:secret")[0] == 404
