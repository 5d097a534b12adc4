"""`kubectl consistency` by a real kubectl, asked of a real API server."""

import getpass
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cluster.api import path_of
from cluster.control_plane import ControlPlane
from cluster.programs import program
from consistency_operator import names
from deployment import ROOT

RUN = "29412180"
SITE = "T2_XX_Nowhere"
MOMENT = "2026-11-29T05:00:00Z"
WAITS = {"id": RUN, "trigger": "Schedule", "stage": "AwaitingApproval", "startTime": MOMENT, "stageStartTime": MOMENT}

Typed = Callable[..., str]


@pytest.fixture
def typed(plane: ControlPlane) -> Typed:
    """What is printed by a command as people type it: kubectl finds the plug-in on the PATH."""
    path = f"{Path(program('kubectl')).parent}:{ROOT / 'deploy/plugin'}:{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "KUBECONFIG": str(plane.kubeconfig)}

    def run(*arguments: str) -> str:
        command = ["kubectl", "consistency", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_check_is_listed_explained_approved_started_suspended_and_resumed(
    plane: ControlPlane, namespace: str, a_check: Callable[..., dict[str, Any]], typed: Typed
) -> None:
    path = path_of("SiteConsistencyCheck", namespace, "nowhere")
    plane.api.create(a_check("nowhere"), namespace)
    status = {"observedGeneration": 1, "run": WAITS | {"message": "wait for a person"}}
    plane.api.patch(f"{path}/status", {"status": status})
    here = ("-n", namespace)

    assert "AwaitingApproval" in typed("list", *here)
    assert namespace in typed("list", "-A")
    assert f"kubectl consistency approve nowhere {RUN} -n {namespace}" in typed("explain", SITE, *here)

    typed("approve", SITE, RUN, *here)
    check = plane.api.get(path)
    assert check["metadata"]["annotations"][names.ANNOTATION_APPROVE] == RUN
    assert getpass.getuser() in [entry["manager"] for entry in check["metadata"]["managedFields"]]

    typed("run", "nowhere", "--replace", *here)
    assert names.ANNOTATION_REQUESTED_AT in plane.api.get(path)["metadata"]["annotations"]

    for command, suspended in (("suspend", True), ("resume", False)):
        typed(command, SITE, *here)
        assert plane.api.get(path)["spec"]["suspend"] is suspended
