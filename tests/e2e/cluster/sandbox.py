"""A namespace of one's own for the tests: `python -m cluster.sandbox COMMAND…` in tests/e2e.

In it everything that a node makes (bridges, iptables, mounts, containers) is out of the machine's sight, and the kernel
takes it all away when the command has ended, however it ended. There is no way out of it to any network.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from cluster.processes import WITH_US

UNSHARE = ["unshare", "--net", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
INSIDE = "CLUSTER_SANDBOX_IP"
BRIDGE, IP = "cluster0", "10.245.0.1"
# What containerd, kubelet and the network plugins write outside their own folders.
FLEETING = ["/run", "/var/lib/kubelet", "/var/lib/cni"]


def lacking() -> str:
    """Why this machine allows no such namespace; empty if it does."""
    if os.geteuid() != 0:
        return "not root"
    probe = "ip link set lo up && ip link add probe type bridge && mount -t tmpfs probe /run"
    done = subprocess.run([*UNSHARE, "sh", "-c", probe], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no namespaces or no bridges here: {done.stderr.strip()}"


def run(*command: str) -> int:
    """Its exit code."""
    before = _control_groups()
    folder = tempfile.mkdtemp(prefix="e2e-")
    Path(folder).chmod(0o1777)  # database and storage servers are other users
    inside = [sys.executable, "-m", "cluster.sandbox", "--inside", *command]
    process = subprocess.Popen([*WITH_US, *UNSHARE, *inside], env={**os.environ, "TMPDIR": folder})
    try:
        return process.wait()
    except KeyboardInterrupt:  # the terminal told those inside as well: let them tidy up
        return process.wait()
    finally:  # the two things that a namespace does not take with it
        shutil.rmtree(folder, ignore_errors=True)
        for folder in sorted(_control_groups() - before, reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _control_groups() -> set[Path]:
    """Of containers, in the folder that containerd gives them."""
    return {folder for top in Path("/sys/fs/cgroup").glob("*/k8s.io") for folder in (top, *top.rglob("*/"))}


def _inside(command: list[str]) -> int:
    """As the first process of the namespace: lay the network, run the command, bury orphans."""
    setup = ["ip link set lo up", f"ip link add {BRIDGE} type bridge", f"ip addr add {IP}/32 dev {BRIDGE}"]
    setup += [f"ip link set {BRIDGE} up", "sysctl -q -w net.ipv4.ip_forward=1"]
    setup += [f"mkdir -p {folder} && mount -t tmpfs fleeting {folder}" for folder in FLEETING]
    subprocess.run(["sh", "-e", "-c", "\n".join(setup)], check=True)
    process = subprocess.Popen(command, env={**os.environ, INSIDE: IP})
    signal.signal(signal.SIGINT, lambda *_: None)  # the command hears it too
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        pid, status = os.wait()
        if pid == process.pid:
            return os.waitstatus_to_exitcode(status)


def ip() -> str | None:
    """What nodes and pods call this machine by; None outside."""
    return os.environ.get(INSIDE)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        sys.exit(_inside(sys.argv[2:]))
    sys.exit(run(*sys.argv[1:]))
