"""Many checks in simulated time: the real plan and the real ledger of places, backends that answer or do not."""

import heapq
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from consistency_operator import names
from consistency_operator.cluster.digest import KnownCheck
from consistency_operator.cluster.job_state import JobState
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.loop.run_slots import RunSlots
from consistency_operator.plan import AskBackend, CreateJob, DeleteJob, Preflight, World, plan
from consistency_operator.plan.admission import Admitted, Places
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus
from plan_cases import CLEAN, NOW, gates, resource

ASKED_AT_A_TIME = 2
A_SECOND, A_MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class _NothingBefore:
    """What an operator knows that has never run."""

    def all(self) -> list[KnownCheck]:
        return []


@dataclass
class Check:
    """One check and all that is known of it. `seconds`: how long each of its Jobs takes."""

    resource: Resource
    seconds: int
    status: CheckStatus = field(default_factory=CheckStatus)
    jobs: dict[str, JobState] = field(default_factory=dict)
    answer: Preflight | None = None
    asking: bool = False
    done: datetime | None = None

    @property
    def backend(self) -> str:
        assert self.resource.check
        return self.resource.check.spec.backend

    @property
    def known(self) -> KnownCheck:
        of = self.resource
        return KnownCheck({"metadata": {"namespace": of.namespace, "name": of.name}}, of, self.status)


@dataclass
class ManyChecks:
    """`silence`: for each backend that does not answer, how long it takes to say nothing."""

    limit: int = 20
    silence: dict[str, timedelta] = field(default_factory=dict)
    now: datetime = NOW
    checks: dict[str, Check] = field(default_factory=dict)
    most_at_a_time: int = 0
    _events: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)
    _waiting: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    _busy: Counter[str] = field(default_factory=Counter)
    _answered: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.slots = RunSlots(_NothingBefore(), Places(self.limit, asking=2 * ASKED_AT_A_TIME))  # type: ignore[arg-type]

    def add(self, name: str, seconds: int, **spec: Any) -> None:
        """A check that is to run at once."""
        of = replace(resource(trigger={"manual": "now"}, **spec), name=name, uid=name)
        self.checks[name] = Check(of, seconds)
        self._at(self.now, lambda: self._reconcile(name))

    def run(self, over: Callable[[], bool]) -> datetime:
        """Let time go by until `over`; when that was."""
        while not over():
            self.now, _, happen = heapq.heappop(self._events)
            happen()
        return self.now

    def call(self, after: timedelta, happen: Callable[[], None]) -> None:
        self._at(self.now + after, happen)

    def done(self, backend: str) -> bool:
        """Have all runs of a backend ended well?"""
        return all(check.done for check in self.checks.values() if check.backend == backend)

    def _at(self, time: datetime, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), happen))

    def _reconcile(self, name: str) -> None:
        check = self.checks[name]
        jobs = list(check.jobs.values())
        self.slots.claim(check.known, jobs)
        answered = self._answered.get(check.backend)
        world = World(self.slots.admission(check.known), check.answer, backend_answered=answered)
        decided = plan(check.resource, check.status, jobs, self.now, world)
        check.status = decided.status
        self.slots.claim(check.known, jobs)
        if check.status.history and not check.done:
            assert check.status.history[0].result == "Complete", check.status.history[0]
            check.done = self.now
        for action in decided.actions:
            self._act(name, check, action)
        for waiting in self.slots.next_waiting():
            self._at(self.now, lambda key=waiting[1]: self._reconcile(key))  # type: ignore[misc]
        if check.known.is_queued and isinstance(self.slots.admission(check.known), Admitted):
            self._at(self.now, lambda: self._reconcile(name))
        if decided.wake_at and check.status.run:
            self._at(decided.wake_at, lambda: self._reconcile(name))

    def _act(self, name: str, check: Check, action: object) -> None:
        match action:
            case AskBackend() if not check.asking:
                check.asking = True
                self._waiting[check.backend].append(name)
                self._ask_next(check.backend)
            case CreateJob(stage, run_id):
                job = names.job_name(name, run_id, stage)
                check.jobs[job] = JobState(stage, run_id, job, uid=job)
                going_on = sum(job.unfinished for each in self.checks.values() for job in each.jobs.values())
                self.most_at_a_time = max(self.most_at_a_time, going_on)
                self._at(self.now + timedelta(seconds=check.seconds), lambda: self._end(name, job))
            case DeleteJob(job):
                check.jobs.pop(job, None)

    def _end(self, name: str, job: str) -> None:
        of = self.checks[name].jobs[job]
        result = WorkerResult(of.stage, of.run_id, 0, "Complete", counts=CLEAN, gates=gates())
        self.checks[name].jobs[job] = replace(of, state="Complete", finished=self.now, results=(result,))
        self._reconcile(name)

    def _ask_next(self, backend: str) -> None:
        while self._waiting[backend] and self._busy[backend] < ASKED_AT_A_TIME:
            name, asked = self._waiting[backend].popleft(), self.now
            self._busy[backend] += 1
            silence = self.silence.get(backend)
            self._at(
                self.now + (silence or A_SECOND),
                lambda name=name, ok=not silence, asked=asked: self._answer(name, asked, ok=ok),
            )  # type: ignore[misc]

    def _answer(self, name: str, asked: datetime, *, ok: bool) -> None:
        check = self.checks[name]
        run = check.status.run
        assert run
        check.answer = Preflight(run.id, asked, ok, "" if ok else "BackendUnreachable", "" if ok else "no answer")
        check.asking = False
        self._busy[check.backend] -= 1
        self._ask_next(check.backend)
        if ok:
            self._answered[check.backend] = asked
            for _, waiting in self.slots.silent(check.backend):
                self._at(self.now, lambda key=waiting: self._reconcile(key))  # type: ignore[misc]
        self._reconcile(name)
