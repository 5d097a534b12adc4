"""Job manifests: pure functions from a check and its run to what the API server is given.

build_job("Listing", resource, JobRun("29412180", seconds_left=86400, check=check), settings) -> dict
run_check_of(snapshot_job, resource.check) -> the check that a run began with
template_problems(check.spec.pod_template) -> sentences, where the overlay asks for what it may not
"""

from consistency_operator.manifests.jobs import build_job
from consistency_operator.manifests.run import JobRun, Owner, WorkerSettings, run_check_of, run_directory
from consistency_operator.manifests.template import template_problems

__all__ = ["JobRun", "Owner", "WorkerSettings", "build_job", "run_check_of", "run_directory", "template_problems"]
