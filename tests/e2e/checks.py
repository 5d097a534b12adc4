"""What people do to checks, and what they can see of them."""

from collections.abc import Callable
from typing import Any

from cluster.api import MERGE_PATCH, Api, Object, path_of
from cluster.processes import wait_until

GROUP = "consistency.dynamo.io"
KIND = "SiteConsistencyCheck"


class Checks:
    """The checks of one namespace. Whatever is waited for has a minute and a half, on a busy machine."""

    def __init__(self, api: Api, namespace: str, patience: float = 90) -> None:
        self.api, self.namespace, self.patience = api, namespace, patience

    def path(self, name: str) -> str:
        return path_of(KIND, self.namespace, name)

    def apply(self, check: Object) -> Object:
        """As `kubectl apply` does, of a person called e2e."""
        path = f"{self.path(check['metadata']['name'])}?fieldManager=e2e&force=true"
        return self.api.patch(path, check, "application/apply-patch+yaml")

    def annotate(self, name: str, **values: str) -> None:
        annotations = {f"{GROUP}/{key}": value for key, value in values.items()}
        self.api.patch(self.path(name), {"metadata": {"annotations": annotations}}, MERGE_PATCH)

    def delete(self, name: str) -> None:
        self.api.delete(self.path(name))

    def get(self, name: str) -> Object:
        return self.api.get(self.path(name))

    def status(self, name: str) -> Object:
        return self.get(name).get("status", {})

    def condition(self, name: str, kind: str) -> Object:
        found = [one for one in self.status(name).get("conditions", []) if one["type"] == kind]
        return found[0] if found else {}

    def wait_for(self, name: str, what: str, condition: Callable[[Object], Any]) -> Object:
        """The status, once it is so."""
        seen: Object = {}

        def reached() -> bool:
            seen.clear()
            seen.update(self.status(name))
            return bool(condition(seen))

        try:
            wait_until(f"{name}: {what}", reached, self.patience)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{seen}\nJobs: {[job['metadata']['name'] for job in self.jobs(name)]}"
            ) from None
        return dict(seen)

    def reaches(self, name: str, stage: str) -> Object:
        """The run, once it is in this stage."""
        status = self.wait_for(name, f"stage {stage}", lambda now: now.get("run", {}).get("stage") == stage)
        run: Object = status["run"]
        return run

    def finished(self, name: str, runs: int = 1) -> Object:
        """The newest of the runs that have ended, once there are so many."""
        status = self.wait_for(name, f"{runs} runs have ended", lambda now: len(now.get("history", [])) >= runs)
        newest: Object = status["history"][0]
        return newest

    def jobs(self, name: str) -> list[Object]:
        """Their Jobs, oldest first."""
        found = self.api.items(f"{path_of('Job', self.namespace)}?labelSelector={GROUP}%2Fcheck%3D{name}")
        return sorted(found, key=lambda job: job["metadata"]["creationTimestamp"])

    def pods(self, name: str) -> list[Object]:
        return self.api.items(f"{path_of('Pod', self.namespace)}?labelSelector={GROUP}%2Fcheck%3D{name}")

    def events(self, name: str) -> list[str]:
        """The reasons of the events about a check."""
        found = self.api.items(path_of("Event", self.namespace))
        return [one["reason"] for one in found if one["involvedObject"]["name"] == name]
