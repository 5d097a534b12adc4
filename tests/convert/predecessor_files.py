"""Small configurations of both predecessors."""

STAR = {"scanner": {"server_root": "/", "roots": [{"path": "/store/mc"}]}}


def rce(rse: object = None, **common: object) -> dict[str, object]:
    """RCE's own file with one RSE, T2_A."""
    return {"rses": {"*": STAR | common, "T2_A": rse or {"scanner": {"server": "a.example.org"}}}}


def config_map(name: str, text: str) -> dict[str, object]:
    """A ConfigMap with one file."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"config.yaml": text}}


UNMERGED = {"rses": {"*": {"scanner": {"roots": [{"path": "/store/unmerged"}]}}, "T2_A": None}}
VALUES = {"consistency": {"ignore": ["/store/mc/SAM"], "sites": {"T2_A": {"interval": 7, "server": "a"}}}}
DYNAMO = {"DirectoryList": ["mc"], "Redirectors": {"T2_A": "a.example.org"}}
