"""Whatever happens, and in whatever order: a run ends, no site has two, and an action is started once."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import get_args

from consistency_operator import names
from consistency_operator.plan import World, plan
from consistency_operator.resource.status import CheckStatus
from consistency_operator.resource.status_reading import read_status
from effort import examples
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from plan_cases import check, resource
from plan_cluster import MiniCluster, Mood

DAILY = {"schedule": "0 3 * * *", "jitterSeconds": 600}
TIMES = st.sampled_from([1, 20, 61, 600, 3600, 20_000, 86_400])
SCHEDULES = st.sampled_from([None, "0 3 * * *", "*/10 * * * *", "30 12 * * 0"])
APPROVALS = st.sampled_from(["Never", "Required", "OnlyAboveLimits"])


class Histories(RuleBasedStateMachine):
    """An operator that is killed anywhere, Jobs that do what they like, and people who change their minds."""

    @initialize(schedule=SCHEDULES, deadline=st.sampled_from([600, 172_800]), patience=st.sampled_from([None, 900]))
    def apply(self, schedule: str | None, deadline: int, patience: int | None) -> None:
        self.spec = {"schedule": schedule, "runDeadlineSeconds": deadline, "startingDeadlineSeconds": patience}
        self.cluster = MiniCluster(resource(**self.spec))
        self.versions: list[tuple[int, CheckStatus]] = []
        self.latest = self.cluster.now
        self.went_back_far = False
        self.tokens = 0
        self.ask_for_a_run()

    # ------------------------------------------------------------------------------------------------ the operator

    @rule(times=st.integers(1, 5))
    def operate(self, times: int) -> None:
        for _ in range(times):
            self.versions.append((self.cluster.version, self.cluster.status))
            self._is_settled(self.cluster.operate())

    @rule(writes=st.integers(0, 2))
    def crash(self, writes: int) -> None:
        self.cluster.operate(crash_after=writes)

    @rule(data=st.data())
    def operate_on_an_old_status(self, data: st.DataObject) -> None:
        """A cache that lags, or a second operator."""
        if self.versions:
            self.cluster.operate(stale=data.draw(st.sampled_from(self.versions[-5:])))

    # ------------------------------------------------------------------------------------------------- the cluster

    @rule()
    def deliver(self) -> None:
        self.cluster.deliver()

    @rule(seconds=TIMES)
    def wait(self, seconds: int) -> None:
        self.cluster.now += timedelta(seconds=seconds)

    @rule(seconds=st.sampled_from([30, 3600, 40_000]))
    def the_clock_goes_back(self, seconds: int) -> None:
        self.latest = max(self.latest, self.cluster.now)
        self.cluster.now -= timedelta(seconds=seconds)
        self.went_back_far |= self.latest - self.cluster.now > timedelta(days=1)

    @rule(complete=st.sampled_from([True, True, True, False]), data=st.data())
    def a_job_ends(self, complete: bool, data: st.DataObject) -> None:
        if self.cluster.jobs:
            self.cluster.end(data.draw(st.sampled_from(sorted(self.cluster.jobs))), complete)

    @rule(seen=st.booleans(), seconds=TIMES)
    def the_newest_job_vanishes(self, seen: bool, seconds: int) -> None:
        """Perhaps before anybody has seen it."""
        if seen:
            self.cluster.deliver()
        if self.cluster.jobs:
            self.cluster.vanish(list(self.cluster.jobs)[-1])
        self.wait(seconds)
        self.operate(1)

    @rule()
    def pods_end(self) -> None:
        self.cluster.end_pods()

    @rule(stage=st.sampled_from(names.JOB_STAGES))
    def all_goes_well(self, stage: names.JobStage) -> None:
        """Up to the moment when the Job of a stage is made: few histories would come to the later stages by chance."""
        before = len(self.cluster.made)
        for _ in range(12):
            self.operate(1)
            if stage in [made for _, made in self.cluster.made[before:]]:
                return
            self.cluster.end_pods()
            for name in list(self.cluster.jobs):
                self.cluster.end(name, complete=True)
            self.cluster.deliver()

    @rule(mood=st.sampled_from(get_args(Mood)))
    def the_api_server(self, mood: Mood) -> None:
        self.cluster.mood = mood

    @rule(ready=st.booleans())
    def the_site_is(self, ready: bool) -> None:
        self.cluster.site_ready = ready

    # -------------------------------------------------------------------------------------------------- the people

    @rule(suspend=st.booleans(), schedule=SCHEDULES)
    def edit(self, suspend: bool, schedule: str | None) -> None:
        self.spec |= {"suspend": suspend, "schedule": schedule}
        self._apply(check=check(**self.spec), errors="")

    @rule()
    def ask_for_a_run(self) -> None:
        self.tokens += 1
        self.spec |= {"trigger": {"manual": f"token {self.tokens}"}}
        self._apply(check=check(**self.spec), errors="")

    @rule()
    def break_the_spec(self) -> None:
        self._apply(check=None, errors="spec.site: is missing")

    @rule()
    def approve(self) -> None:
        run = self.cluster.status.run
        if run:
            self._apply(annotations={names.ANNOTATION_APPROVE: run.id})

    def _apply(self, **fields: object) -> None:
        of = self.cluster.resource
        self.cluster.resource = replace(of, generation=of.generation + 1, **fields)

    # --------------------------------------------------------------------------------------------- what always holds

    @invariant()
    def no_site_has_two_runs(self) -> None:
        going_on = {job.run_id for job in self.cluster.jobs.values() if job.unfinished}
        assert len(going_on) <= 1

    @invariant()
    def an_action_is_started_once(self) -> None:
        actions = Counter(run_id for run_id, stage in self.cluster.made if stage == "Action")
        assert all(times == 1 for times in actions.values())

    @invariant()
    def later_runs_have_greater_ids(self) -> None:
        """Ids that lie more than a day ahead count for nothing, so that a clock that was wrong once does no harm."""
        ids = [int(status.run.id) for status in self.cluster.runs if status.run]
        assert len(ids) == len(set(ids))
        assert self.went_back_far or ids == sorted(ids)

    @invariant()
    def no_time_of_a_schedule_is_run_twice(self) -> None:
        scheduled = [s for s in self.cluster.runs if s.run and s.run.trigger in ("Schedule", "CatchUp")]
        times = Counter((status.observed_schedule, status.last_schedule_time) for status in scheduled)
        assert all(number == 1 for number in times.values())

    def _is_settled(self, decided: object) -> None:
        """A plan from what was planned plans the same, also when it was written down and read in between."""
        status = decided.status  # type: ignore[attr-defined]
        again = read_status(status.to_json())
        assert again == status
        cluster = self.cluster
        assert plan(cluster.resource, again, cluster._told(), cluster.now, World()).status is not None

    def teardown(self) -> None:
        if hasattr(self, "cluster"):
            assert self.cluster.live_until(timedelta(days=9))


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=examples(60), stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow]
)
