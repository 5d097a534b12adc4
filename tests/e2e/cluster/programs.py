"""The programs of a Kubernetes cluster: found on the machine, or built from Go modules into a cache."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
GO = "Go 1.26 or newer, https://go.dev/dl; or name ready programs in KUBEBUILDER_ASSETS"


class ProgramsMissingError(Exception):
    """The programs are neither here nor can they be built; says what installs them."""


def cache_folder() -> Path:
    """What is made once for all clones."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamo-consistency"


@dataclass(frozen=True, eq=False)
class Module:
    """A folder with go.mod, and what is built from it: name of the program → package.

    Objects that a cluster needs before a program are files of Go modules: those of `definitions`, pairs of a module and
    a folder in it, are kept with the programs.
    """

    name: str
    programs: dict[str, str]
    definitions: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        return MODULES / self.name

    @property
    def version(self) -> str:
        """The version of what the module is there for: its first requirement."""
        found = re.search(
            r"^require \S+ (v\S+)|^require \(\s+\S+ (v\S+)", self.folder.joinpath("go.mod").read_text(), re.M
        )
        assert found is not None, f"{self.folder}/go.mod requires nothing"
        return found[1] or found[2]

    @property
    def flags(self) -> list[str]:
        """Without its version in it, the API server calls itself v0.0.0."""
        place, (major, minor) = "k8s.io/component-base/version.git", self.version.lstrip("v").split(".")[:2]
        stamps = f"-X {place}Version={self.version} -X {place}Major={major} -X {place}Minor={minor}"
        return ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w {stamps if self.name == 'kubernetes' else ''}"]

    @property
    def cache(self) -> Path:
        """One folder for each content of the module's files."""
        content = b"".join(path.read_bytes() for path in sorted(self.folder.iterdir())) + repr(self.flags).encode()
        return cache_folder() / f"{self.name}-{self.version}" / hashlib.sha256(content).hexdigest()[:12]


KUBERNETES = Module(
    "kubernetes",
    {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kube-proxy")
    },
)
_FLUX = {name: f"github.com/fluxcd/{name}" for name in ("source-controller", "kustomize-controller")}
FLUX = Module("flux", _FLUX, tuple((source, "config/crd/bases") for source in _FLUX.values()))
ARGO_CD = Module(
    "argocd",
    {"argocd-controllers": ".", "kustomize": "sigs.k8s.io/kustomize/kustomize/v5"},
    tuple(("github.com/argoproj/argo-cd/v3", f"manifests/{folder}") for folder in ("crds", "base/config")),
)
ALL = (
    Module("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    KUBERNETES,
    Module("coredns", {"coredns": "."}),
    FLUX,
    ARGO_CD,
)


def program(name: str) -> str:
    """The path of a program: from KUBEBUILDER_ASSETS, or from PATH if its version is ours, or built."""
    module = next(module for module in ALL if name in module.programs)
    return _given(name) or _on_path(name, module) or str(_built(module) / name)


def definitions(module: Module) -> Path:
    """The folder with the objects that a cluster needs before the module's programs."""
    return _built(module) / "definitions"


def _given(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("KUBEBUILDER_ASSETS", ""))


@cache
def _on_path(name: str, module: Module) -> str | None:
    path = shutil.which(name)
    if path is None:
        return None
    ask = [path, "version", "--client"] if name == "kubectl" else [path, "--version"]
    said = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=20)
    release = module.version.rpartition(".")[0].lstrip("v")
    return path if re.search(rf"\b{re.escape(release)}\.\d", said.stdout.replace("v", "")) else None


@cache
def _built(module: Module) -> Path:
    """The folder with the module's programs; builds them unless they are there."""
    if module.cache.is_dir():
        return module.cache
    if shutil.which("go") is None:
        raise ProgramsMissingError(f"needs {', '.join(module.programs)}, or to build them {GO}")
    module.cache.parent.mkdir(parents=True, exist_ok=True)
    with module.cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds them built
        if not module.cache.is_dir():
            _build(module)
    return module.cache


def _build(module: Module) -> None:
    started = time.monotonic()
    print(f"building {', '.join(module.programs)} {module.version}: some minutes, once", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=module.cache.parent) as folder:
        output = Path(folder) / "programs"
        (output / "definitions").mkdir(parents=True)
        for name, package in module.programs.items():
            _go(module, "build", *module.flags, "-o", str(output / name), package)
        for source, part in module.definitions:
            found = Path(_go(module, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", source), part)
            for file in found.glob("*.yaml"):
                if file.name != "kustomization.yaml":
                    shutil.copyfile(file, output / "definitions" / file.name)
        output.rename(module.cache)
    print(f"built in {time.monotonic() - started:.0f} s: {module.cache}", file=sys.stderr, flush=True)


def _go(module: Module, *command: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    done = subprocess.run(
        ["nice", "go", *command], cwd=module.folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ProgramsMissingError(f"{command[-1]} cannot be built: {done.stderr[-2000:]}")
    return done.stdout.strip()
