"""Work in processes of its own: what it returns, tells and raises, and what becomes of it when processes die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.run.listing.processes import ATTEMPTS, in_processes


def die(_tell=None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(_tell) -> None:
    time.sleep(600)


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_results_are_in_the_order_of_the_tasks() -> None:
    assert in_processes("the work", [lambda _, number=number: number * number for number in range(5)]) == [
        0,
        1,
        4,
        9,
        16,
    ]


def test_the_tasks_are_at_work_at_the_same_time_and_in_processes_of_their_own(tmp_path) -> None:
    def meet(name: str, other: str) -> int:
        (tmp_path / name).touch()
        while not (tmp_path / other).exists():
            time.sleep(0.01)
        return os.getpid()

    pids = in_processes("the work", [lambda _: meet("a", "b"), lambda _: meet("b", "a")])
    assert len({*pids, os.getpid()}) == 3


def test_what_tasks_tell_is_heard_with_their_number_and_in_their_order() -> None:
    def count(tell) -> None:
        for number in range(3):
            tell(number)

    heard = []
    in_processes("the work", [count, count], lambda task, told: heard.append((task, told)))
    assert [told for task, told in heard if task == 0] == [told for task, told in heard if task == 1] == [0, 1, 2]


def test_work_whose_process_dies_is_done_again_and_only_that(tmp_path) -> None:
    def work(name: str, deaths: int) -> str:
        marks = len(list(tmp_path.glob(f"{name}*")))
        (tmp_path / f"{name}{marks}").touch()
        if marks < deaths:
            die()
        return name

    assert in_processes("the work", [lambda _: work("frail", 2), lambda _: work("firm", 0)]) == ["frail", "firm"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["firm0", "frail0", "frail1", "frail2"]


def test_work_that_always_dies_is_given_up_with_a_sentence() -> None:
    with pytest.raises(ListingError, match=f"the work crashed {ATTEMPTS} times"):
        in_processes("the work", [die])


def test_an_error_of_the_work_comes_through_and_is_not_done_again(tmp_path) -> None:
    def work(_tell) -> None:
        (tmp_path / "once").touch(exist_ok=False)
        raise ConfigurationError("the door is wrong")

    with pytest.raises(ConfigurationError, match="the door is wrong"):
        in_processes("the work", [work])


def test_an_unexpected_error_of_the_work_keeps_its_name() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: division by zero"):
        in_processes("the work", [lambda _: 1 / 0])


def test_with_the_error_of_one_the_work_of_the_others_is_ended() -> None:
    pids = []

    def last(tell) -> None:
        tell(os.getpid())
        sleep(tell)

    def hear(_task, pid) -> None:
        pids.append(pid)
        raise ListingError("heard enough")

    with pytest.raises(ListingError, match="heard enough"):
        in_processes("the work", [sleep, last], hear)
    assert not lives(*pids)


def test_when_the_command_is_interrupted_the_work_is_ended_too(tmp_path) -> None:
    script = f"""
import os, signal, time
from pathlib import Path
from dynamo_consistency.run.listing.processes import in_processes
signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
def work(name):
    Path({str(tmp_path)!r}, name).write_text(str(os.getpid()))
    time.sleep(600)
in_processes("the work", [lambda _: work("a"), lambda _: work("b")])
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as command:
        pids = [pid_in(tmp_path / name) for name in "ab"]
        command.terminate()
        assert command.wait(60) != 0
    assert not any(lives(pid) for pid in pids)


def test_work_that_is_ended_while_it_says_its_result_dies_in_silence(tmp_path) -> None:
    script = f"""
import signal, time
from pathlib import Path
from dynamo_consistency.errors import ListingError
from dynamo_consistency.run.listing.processes import in_processes
signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
saying = Path({str(tmp_path)!r}, "saying")
class Result:
    def __reduce__(self):
        saying.touch()
        time.sleep(600)
def fail(_):
    while not saying.exists():
        time.sleep(0.01)
    raise ListingError("no door answers")
try:
    in_processes("the work", [fail, lambda _: Result()])
except ListingError as error:
    raise SystemExit(str(error))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "no door answers\n"


def test_when_the_command_is_killed_the_work_ends_by_itself(tmp_path) -> None:
    script = f"""
import os, time
from pathlib import Path
from dynamo_consistency.run.listing.processes import in_processes
in_processes("the work", [lambda _: (Path({str(tmp_path)!r}, "a").write_text(str(os.getpid())), time.sleep(600))])
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as command:
        pid = pid_in(tmp_path / "a")
        command.kill()
    deadline = time.monotonic() + 60
    while lives(pid):
        assert time.monotonic() < deadline, "the work goes on"
        time.sleep(0.05)


def pid_in(file: Path) -> int:
    while not file.exists() or not file.read_text():
        time.sleep(0.02)
    return int(file.read_text())
