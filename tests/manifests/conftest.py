"""A check, its resource and its operator, as Jobs are built from them."""

import pytest
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.settings import read_settings
from manifests_examples import Owner, check_with

RUN = "29412180"
OWNER = Owner()


@pytest.fixture
def build():
    """Builds the Job of a stage: of a check with `spec`, by an operator with `environment`."""

    def job(stage, approved=False, environment=None, seconds_left=86400, owner=OWNER, **spec):
        settings = read_settings({"CONSISTENCY_IMAGE": "example.org/dynamo-consistency:3.0.0"} | (environment or {}))
        check = check_with(**spec)
        return build_job(stage, owner, JobRun(RUN, check, seconds_left, approved, check), settings)

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
    """Makes a check of the fewest words, with what is given of its spec."""
    return check_with
