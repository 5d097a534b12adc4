"""A node of containerd and kubelet, with kube-proxy and CoreDNS, in the sandbox: pods are containers there."""

import json
import os
import subprocess
from pathlib import Path

from cluster import images, sandbox
from cluster.api import Object, path_of
from cluster.control_plane import ControlPlane
from cluster.processes import Processes, free_port
from cluster.programs import program

INSTALL = (
    "apt-get install --no-install-recommends containerd runc containernetworking-plugins catatonit podman iptables"
)
DNS_IP, PODS = "10.96.0.10", "10.246.0.0/24"

CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def missing() -> str:
    """Why there can be no such node here; empty if there can."""
    if sandbox.ip() is None or images.FOLDER not in os.environ:
        return "containers are run by `make e2e` only, which says at its start if this machine cannot"
    return ""


class RealNode:
    """Started with `start`; ends with the control plane's processes, and with the sandbox all that it made."""

    def __init__(self, plane: ControlPlane, name: str = "real") -> None:
        self.plane, self.name = plane, name
        self.folder = plane.folder / name
        self.folder.mkdir()
        self.processes: Processes = plane.processes
        self.socket = self.folder / "containerd.sock"
        self.bridge = "pods0"
        plane.nodes.append(self.close)

    def start(self) -> None:
        self._start_containerd()
        self._start_kubelet()
        self._start_proxy()
        self._start_dns()

    def _start_containerd(self) -> None:
        network = {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": self.bridge,
                    "isGateway": True,
                    "hairpinMode": True,
                    "ipam": {
                        "type": "host-local",
                        "dataDir": str(self.folder / "addresses"),
                        "ranges": [[{"subnet": PODS}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
        (self.folder / "cni").mkdir()
        (self.folder / "cni/pods.conflist").write_text(json.dumps(network))
        config = self.folder / "containerd.toml"
        config.write_text(
            CONTAINERD.format(folder=self.folder, socket=self.socket, pause=images.PAUSE, plugins=images.PLUGINS)
        )
        self.processes.start("containerd", "containerd", "--config", str(config), "--log-level=warn")
        self.processes.wait_until("containerd", "containerd answers", lambda: self.ctr("version", check=False))
        for archive in sorted(Path(os.environ[images.FOLDER]).iterdir()):
            self.ctr("images", "import", str(archive))

    def close(self) -> None:
        """Its containers would outlive it, and hold addresses and rules of the next node."""
        for name in ("kubelet", "proxy", "dns"):
            if name in self.processes.running:
                self.processes.end(name)
        for container in self.ctr("tasks", "ls", "--quiet", check=False).split():
            self.ctr("tasks", "kill", "--signal", "SIGKILL", "--all", container, check=False)
        for command in (["ip", "link", "delete", self.bridge], [program("kube-proxy"), "--cleanup"]):
            subprocess.run(command, check=False, capture_output=True, timeout=60)

    def ctr(self, *arguments: str, check: bool = True) -> str:
        command = ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0 or not check, f"{' '.join(command)}: {done.stderr}"
        return done.stdout if done.returncode == 0 else ""

    def _start_kubelet(self) -> None:
        config = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "port": free_port(),
            "healthzPort": free_port(),
            "podLogsDir": str(self.folder / "pod-logs"),
            "cgroupDriver": "cgroupfs",
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            "localStorageCapacityIsolation": False,
            "evictionHard": {"imagefs.available": "0%", "memory.available": "0%", "nodefs.available": "0%"},
            "clusterDNS": [DNS_IP],
            "clusterDomain": "cluster.local",
            "nodeStatusUpdateFrequency": "3s",
        }
        path = self._write("kubelet.json", config)
        self.processes.start(
            "kubelet", program("kubelet"), f"--config={path}", f"--kubeconfig={self.plane.kubeconfig}",
            f"--root-dir={self.folder}/kubelet", f"--hostname-override={self.name}", f"--node-ip={self.plane.ip}",
        )  # fmt: skip
        self.processes.wait_until("kubelet", "the node is ready", self.is_ready)

    def is_ready(self) -> bool:
        node = self.plane.api.find(path_of("Node", name=self.name)) or {"status": {}}
        conditions = {one["type"]: one["status"] for one in node["status"].get("conditions", [])}
        return conditions.get("Ready") == "True"

    def _start_proxy(self) -> None:
        config = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(self.plane.kubeconfig)},
            "hostnameOverride": self.name,
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "metricsBindAddress": f"127.0.0.1:{free_port()}",
            "healthzBindAddress": f"127.0.0.1:{free_port()}",
        }
        self.processes.start("proxy", program("kube-proxy"), f"--config={self._write('proxy.json', config)}")

    def _start_dns(self) -> None:
        """As a process beside the pods, with a service in front of it."""
        port = free_port(self.plane.ip)
        corefile = self.folder / "Corefile"
        zones = f"cluster.local:{port} {{\n errors\n cache 5\n kubernetes cluster.local {{\n"
        corefile.write_text(f"{zones}  kubeconfig {self.plane.kubeconfig} test\n }}\n}}\n")
        self.processes.start("dns", program("coredns"), "-conf", str(corefile))
        ports = [{"name": name, "protocol": name.upper(), "port": port} for name in ("udp", "tcp")]
        metadata: Object = {"name": "kube-dns", "namespace": "kube-system"}
        service = {"clusterIP": DNS_IP, "ports": [{**one, "port": 53, "targetPort": port} for one in ports]}
        self.plane.api.request(
            "POST",
            "/api/v1/namespaces/kube-system/services",
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
        )
        endpoints = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": [self.plane.ip], "conditions": {"ready": True}}],
        }
        self.plane.api.request("POST", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices", endpoints)

    def _write(self, name: str, content: Object) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path
