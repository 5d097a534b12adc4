"""A check, its resource and its operator, as Jobs are built from them."""

from dataclasses import dataclass

import pytest
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.settings import read_settings

from dynamo_consistency.check import SiteConsistencyCheck

RUN = "29412180"


@dataclass(frozen=True)
class Owner:
    namespace: str = "sites"
    name: str = "t2-x"
    uid: str = "6b1f0c5e-5d0f-4f0e-9d0a-0a4f0e3a2b11"


def check(**spec: object) -> SiteConsistencyCheck:
    """A check of the fewest words, with `spec` as a person writes it."""
    data = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "t2-x"},
        "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}, **spec},
    }
    return SiteConsistencyCheck.model_validate(data)


@pytest.fixture
def build():
    """Builds the Job of a stage: of a check with `spec`, by an operator with `environment`."""

    def job(stage, approved=False, environment=None, seconds_left=86400, **spec):
        settings = read_settings({"CONSISTENCY_IMAGE": "example.org/dynamo-consistency:3.0.0"} | (environment or {}))
        return build_job(stage, Owner(), JobRun(RUN, check(**spec), seconds_left, approved), settings)

    return job


@pytest.fixture
def worker(build):
    """The container of a Job that `build` builds, with its environment as a mapping beside it."""

    def container(*arguments, **options):
        [found] = build(*arguments, **options)["spec"]["template"]["spec"]["containers"]
        return found

    return container


@pytest.fixture
def check_of():
    return check
