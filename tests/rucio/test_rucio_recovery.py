"""Answers that get lost, servers that fail in the middle, processes that die: nothing is asked for twice."""

import json

import pytest
from rucio_door import Door, answering, bad_gateway, closed, garbage, late, lose_answer, lose_request, saying
from rucio_requests import Asking, dark, outcomes

from dynamo_consistency.backend.rucio.requests.transfer import CHANGED
from dynamo_consistency.backend.rucio.rest.client import AnswerError, LostAnswerError, RestClient
from dynamo_consistency.errors import BackendError


@pytest.fixture
def door(asking):
    with Door(asking.rucio.server.url) as door:
        yield door


def through(asking: Asking, door: Door, **settings) -> dict:
    return {"rest": asking.rucio.rest_options(url=door.url, **settings)}


def lost(asking: Asking, number: int = 3) -> list[bytes]:
    return list(asking.lost_all([f"f{one}" for one in range(number)]).values())


def orphans(asking: Asking, number: int = 3) -> list[bytes]:
    return [dark(asking, f"dark{one}") for one in range(number)]


LOSSES = {"reset": lose_answer, "gateway": bad_gateway, "garbage": garbage, "time-out": late(4)}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_what_has_arrived_is_not_asked_for_again_when_its_answer_is_lost(asking, door, loss):
    settings = through(asking, door, timeoutSeconds=3)
    door.next.append(loss)
    assert outcomes(asking.transfer(*lost(asking), **settings)) == ["requested"] * 3
    door.next.append(loss)
    assert outcomes(asking.delete(*orphans(asking), **settings)) == ["requested"] * 3
    assert [len(post["replicas"]) for post in door.posts()] == [3, 3]
    assert len(asking.declared()) == len(asking.quarantined()) == 3


def test_what_has_not_arrived_is_asked_for_again_once(asking, door):
    settings = through(asking, door)
    door.next.append(lose_request)
    assert outcomes(asking.transfer(*lost(asking), **settings)) == ["requested"] * 3
    door.next.append(lose_request)
    assert outcomes(asking.delete(*orphans(asking), **settings)) == ["requested"] * 3
    assert [len(post["replicas"]) for post in door.posts()] == [3] * 4


def test_what_is_lost_twice_is_an_error_and_can_be_asked_for_later(asking, door):
    settings, files = through(asking, door), lost(asking)
    door.next.extend([lose_request, lose_request])
    with pytest.raises(LostAnswerError, match="did not answer POST /replicas/bad as it should"):
        asking.transfer(*files, **settings)
    assert asking.declared() == []
    assert outcomes(asking.transfer(*files, **settings)) == ["requested"] * 3
    assert outcomes(asking.transfer(*files, **settings)) == ["waiting"] * 3


def test_a_process_that_dies_between_two_calls_leaves_what_the_next_one_continues(asking, monkeypatch):
    monkeypatch.setattr("dynamo_consistency.backend.rucio.requests.batching.CALL", 2)
    missing, strays = lost(asking, 5), orphans(asking, 5)
    for name, ask in (
        ("declare_bad", lambda: asking.transfer(*missing)),
        ("quarantine", lambda: asking.delete(*strays)),
    ):
        calls, real = [], getattr(RestClient, name)

        def dying(*arguments, calls=calls, real=real):
            calls.append(arguments)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(RestClient, name, dying)
            with pytest.raises(KeyboardInterrupt):
                ask()
        assert outcomes(ask()) == ["waiting"] * 2 + ["requested"] * 3
        assert outcomes(ask()) == ["waiting"] * 5
    assert len(asking.declared()) == len(asking.quarantined()) == 5


def test_one_file_that_spoils_a_call_is_refused_and_the_others_are_declared(asking, door):
    """As a name does that the database of this Rucio cannot hold."""
    files = lost(asking, 7)

    def choke(request, forward):
        if b'"f5"' in request.body:
            return saying(500, "DatabaseException", "An unknown Database Exception has occurred.")(request, forward)
        return forward()

    door.always["/replicas/bad"] = choke
    said = asking.transfer(*files, **through(asking, door))
    assert outcomes(said) == ["requested"] * 5 + ["refused", "requested"]
    assert said[5][1].startswith("Rucio's database does not take it")
    assert [len(post["replicas"]) for post in door.posts()] == [7, 3, 4, 2, 2, 1, 1]
    assert len(asking.declared()) == 6


@pytest.mark.parametrize(
    "trouble",
    [
        saying(503, "DatabaseException", "Currently there are too many requests"),
        saying(500, "InvalidType", "The replicas must be specified"),
        saying(404, "RSENotFound", "RSE 'X' cannot be found"),
        saying(302, Location="https://elsewhere.example.org/"),
    ],
)
def test_other_errors_end_it_at_once(asking, door, trouble):
    door.next.append(trouble)
    with pytest.raises(AnswerError, match="refused POST /replicas/bad"):
        asking.transfer(*lost(asking), **through(asking, door))
    assert len(door.posts()) == 1
    assert asking.declared() == []


def test_an_answer_of_which_we_understand_only_half_is_looked_up(asking, door):
    """A later Rucio may say more than we know."""

    def wordy(request, forward):
        forward()
        return 201, {}, b'{"X": ["cms:f0 Something new"]}'

    door.next.append(wordy)
    assert outcomes(asking.transfer(*lost(asking), **through(asking, door))) == ["requested"] * 3
    assert len(door.posts()) == 1


def test_what_the_server_says_of_single_files_is_believed(asking, door, monkeypatch):
    """Between the look and the call another may have declared one, and deleted another."""
    files = lost(asking)

    def meanwhile(request, forward):
        asking.rucio.sql("DELETE FROM replicas WHERE name = 'f2' AND scope = :scope", scope=asking.rucio.scope)
        bad = {"scope": asking.rucio.scope, "name": "f1", "rse": asking.here.name}
        asking.rucio.ask("POST", "/replicas/bad", {"reason": "a user", "force": False, "replicas": [bad]})
        return forward()

    door.next.append(meanwhile)
    said = asking.transfer(*files, **through(asking, door))
    assert said == [
        ("requested", ""),
        ("waiting", ""),
        ("refused", "Rucio has no such replica at the site any more"),
    ]


def test_a_file_that_the_server_sees_elsewhere_no_more_is_not_declared(asking, door):
    """The catalogue that we read may be a copy that lags behind the server's."""
    files = lost(asking, 4)
    seen = [
        {asking.here.name: "AVAILABLE", asking.there.name: "AVAILABLE"},
        {asking.here.name: "AVAILABLE", "T2_OTHER": "AVAILABLE"},
        {asking.there.name: "AVAILABLE"},
    ]
    told = [{"scope": asking.rucio.scope, "name": f"f{number}", "states": states} for number, states in enumerate(seen)]
    door.always["/replicas/list"] = answering(b"".join(json.dumps(line).encode() + b"\n" for line in told))
    said = asking.transfer(*files, **through(asking, door))
    assert said == [("requested", "")] + [("refused", CHANGED)] * 3
    assert asking.declared() == [("f0", "B")]


def test_a_server_that_takes_files_and_does_not_list_them_is_not_believed(asking, door):
    door.always["/replicas/quarantine"] = lambda request, forward: (200, {}, b"")
    said = asking.delete(*orphans(asking), **through(asking, door))
    assert outcomes(said) == ["refused"] * 3
    assert "does not list it" in said[0][1]


def test_a_server_that_computes_other_paths_is_handed_nothing(asking, door):
    scope = asking.rucio.scope
    wrong = {
        f"{scope}:dark{number}": f"file://localhost:0{asking.here.folder}/{scope}/x/{number}" for number in range(3)
    }
    door.always[f"/rses/{asking.here.name}/lfns2pfns"] = lambda request, forward: (200, {}, json.dumps(wrong).encode())
    with pytest.raises(BackendError, match="lfn2pfn is not what Rucio's server does"):
        asking.delete(*orphans(asking), **through(asking, door))
    assert asking.quarantined() == []


def test_a_server_that_is_gone_is_an_error_before_anything_is_asked(asking):
    files = lost(asking)
    with closed() as url, pytest.raises(BackendError, match="cannot be reached") as raised:
        asking.transfer(*files, rest=asking.rucio.rest_options(url=url))
    assert not isinstance(raised.value, LostAnswerError)
    assert asking.declared() == []
