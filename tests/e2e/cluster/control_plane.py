"""etcd, API server, controller manager and scheduler on free ports of this machine."""

import contextlib
import json
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cluster.api import Api, path_of
from cluster.processes import Processes, free_port, wait_until
from cluster.programs import program

# Nodes are found lost after 15 seconds rather than 50.
IMPATIENT = ["--node-monitor-grace-period=15s", "--node-monitor-period=2s"]
SERVICES = "10.96.0.0/16"


class ControlPlane:
    """A control plane whose files are all in `folder`; `ip` is what pods and nodes call it by."""

    def __init__(self, folder: Path, ip: str = "127.0.0.1") -> None:
        self.folder, self.ip = folder, ip
        self.processes = Processes(folder)
        self.port = free_port()
        self.certificates = folder / "certificates"
        self.admin_token = secrets.token_hex(16)
        self.kubeconfig = folder / "admin.kubeconfig"
        self.nodes: list[Callable[[], None]] = []  # what ends them, while there is still an API server

    @property
    def server(self) -> str:
        return f"https://{self.ip}:{self.port}"

    @property
    def api(self) -> Api:
        """As the administrator."""
        return Api(self.server, self.admin_token, str(self.certificates / "apiserver.crt"))

    def start(self) -> None:
        store = f"http://127.0.0.1:{free_port()}"
        self._start_etcd(store)
        self._start_api_server(store)
        self.write_kubeconfig(self.kubeconfig, self.admin_token)
        self.start_controllers()
        self.processes.start(
            "scheduler", program("kube-scheduler"), f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
            "--secure-port=0",
        )  # fmt: skip
        account = path_of("ServiceAccount", "default", "default")
        self.processes.wait_until("controllers", "the default service account", lambda: self.api.find(account))

    def _start_etcd(self, store: str) -> None:
        peers = f"http://127.0.0.1:{free_port()}"
        self.processes.start(
            "etcd", program("etcd"), f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn",
            f"--listen-client-urls={store}", f"--advertise-client-urls={store}", f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}",
        )  # fmt: skip

    def _start_api_server(self, store: str) -> None:
        key = self.folder / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f'{self.admin_token},admin,admin,"system:masters"\n')
        self.processes.start(
            "apiserver", program("kube-apiserver"), f"--etcd-servers={store}", f"--cert-dir={self.certificates}",
            f"--secure-port={self.port}", f"--bind-address={self.ip}",
            f"--advertise-address={self.ip}", f"--service-cluster-ip-range={SERVICES}",
            "--endpoint-reconciler-type=" + ("none" if self.ip == "127.0.0.1" else "master-count"),
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}", f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC,Node", "--kubelet-preferred-address-types=InternalIP",
            "--shutdown-delay-duration=0s",
        )  # fmt: skip
        self.processes.wait_until("apiserver", "the API server is ready", lambda: self.api.get("/readyz") == "ok")

    def start_controllers(self) -> None:
        self.processes.start(
            "controllers", program("kube-controller-manager"), f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false", f"--service-account-private-key-file={self.folder}/service-accounts.key",
            "--secure-port=0", "--use-service-account-credentials", f"--root-ca-file={self.certificates}/apiserver.crt",
            *IMPATIENT,
        )  # fmt: skip

    def write_kubeconfig(self, path: Path, token: str, namespace: str = "default") -> Path:
        """A kubeconfig (JSON is YAML) for whoever the token names."""
        cluster = {"server": self.server, "certificate-authority": str(self.certificates / "apiserver.crt")}
        context = {"cluster": "test", "user": "test", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }
        path.write_text(json.dumps(content))
        return path

    def kubectl(self, *arguments: str, stdin: str | None = None, exit_code: int | None = 0) -> str:
        """What kubectl prints; of a command that must fail, what it complains of. With None it may do either."""
        command = [
            program("kubectl"),
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.folder}/kubectl",
            *arguments,
        ]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=600)
        assert exit_code in (None, done.returncode), f"kubectl {' '.join(arguments)}: {done.stderr or done.stdout}"
        return done.stderr if done.returncode else done.stdout

    def token(self, account: str, namespace: str) -> str:
        """A token of a service account, as its pods get one."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        path = path_of("ServiceAccount", namespace, account, "token")
        return str(self.api.request("POST", path, request)["status"]["token"])

    def namespace(self, name: str) -> str:
        """A new namespace, ready for pods."""
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        wait_until(f"default account in {name}", lambda: self.api.find(path_of("ServiceAccount", name, "default")))
        return name

    def close(self) -> None:
        for end in self.nodes:
            end()
        self.processes.close()


@contextlib.contextmanager
def running(
    keep: Path | None = None,
    ip: str = "127.0.0.1",
    make: Callable[[Path, str], ControlPlane] = ControlPlane,
) -> Iterator[ControlPlane]:
    """A control plane for as long as the block lasts. Its logs are kept in `keep` when the block fails."""
    folder = Path(tempfile.mkdtemp(prefix="control-plane-"))
    plane = make(folder, ip)
    try:
        started = time.monotonic()
        plane.start()
        print(f"control plane ready after {time.monotonic() - started:.1f} s: {plane.server}")
        yield plane
    finally:
        plane.close()
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for log in folder.glob("*.log"):
                shutil.copy(log, keep)
        shutil.rmtree(folder, ignore_errors=True)
