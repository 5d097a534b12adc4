"""The images of this clone, built by tools/image/build and kept as archives that containerd can load."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from cluster.processes import lacking
from cluster.programs import cache_folder

ROOT = Path(__file__).parents[3]
IMAGES = {"image": "localhost/dynamo-consistency:dev", "demo": "localhost/dynamo-consistency-demo:dev"}
PAUSE = "localhost/cluster-pause:1"
FOLDER = "CLUSTER_IMAGES"
PLUGINS = Path("/usr/lib/cni")
PROGRAMS = ["containerd", "ctr", "runc", "catatonit", "podman", "debootstrap", "iptables", "ip"]
INSTALL = (
    "apt-get install --no-install-recommends containerd runc containernetworking-plugins catatonit podman debootstrap "
    "iptables iproute2"
)
KEPT = 4


def missing() -> str:
    """What building and running containers needs and this machine has not, with what installs it; empty: nothing."""
    programs = lacking(*PROGRAMS) + ([] if (PLUGINS / "bridge").exists() else [f"{PLUGINS}/bridge"])
    return f"needs {', '.join(programs)}: {INSTALL}" if programs else ""


def prepare() -> Path:
    """Build the images; returns a folder with an archive of each."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="cluster-images-"))
    for name, image in IMAGES.items():
        done = subprocess.run([ROOT / "tools/image/build", name], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"tools/image/build {name}: {(done.stdout + done.stderr)[-3000:]}")
        (folder / f"{name}.tar").symlink_to(_archive(image))
    _make_pause_image()
    (folder / "pause.tar").symlink_to(_archive(PAUSE))
    print(f"images ready after {time.monotonic() - started:.0f} s")
    return folder


def _archive(image: str) -> Path:
    """Made once for each content of the image; the oldest ones go."""
    number = _podman("image", "inspect", "--format", "{{.Id}}", image).strip()
    archives = cache_folder() / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    archive = archives / f"{hashlib.sha256((image + number).encode()).hexdigest()[:16]}.tar"
    if not archive.exists():
        part = archive.with_suffix(f".part{os.getpid()}")
        _podman("save", "--quiet", "--output", str(part), image)
        part.rename(archive)
    os.utime(archive)
    for old in sorted(archives.glob("*.tar"), key=lambda path: -path.stat().st_mtime)[KEPT:]:
        old.unlink()
    return archive


def _make_pause_image() -> None:
    """What holds a pod's namespaces open: an init that does nothing."""
    if subprocess.run(["podman", "image", "exists", PAUSE], check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        root.mkdir()
        shutil.copy(shutil.which("catatonit") or "catatonit", root / "pause")
        subprocess.run(["tar", "-C", str(root), "-cf", f"{folder}/root.tar", "."], check=True)
        _podman("import", "--quiet", "--change", 'ENTRYPOINT ["/pause", "-P"]', f"{folder}/root.tar", PAUSE)


def _podman(*arguments: str) -> str:
    return subprocess.run(["podman", *arguments], check=True, capture_output=True, text=True).stdout
