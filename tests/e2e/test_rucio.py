"""The operator on an RSE of a real Rucio: from a finding to the file that is back, and to the one that is gone."""

from collections.abc import Iterator

import pytest
from rucio_laboratory import EMPTY, LAST_COPY, MISSING, ORPHAN, RucioLaboratory
from rucio_server import RucioServer


@pytest.fixture
def rse(doors, tmp_path) -> Iterator[RucioLaboratory]:
    server = RucioServer(tmp_path, f"sqlite:///{tmp_path}/rucio.db")
    try:
        yield RucioLaboratory(server.start(), doors.server("rse"))
    finally:
        server.stop()


def test_what_is_missing_comes_back_what_is_dark_goes_and_a_last_copy_is_only_told(
    checks, make_operator, backends, rse: RucioLaboratory
):
    make_operator(backends(rse.backends)).start()
    checks.apply(rse.check("rse", trigger={"manual": "first"}))
    first = checks.finished("rse", runs=1)
    assert (first["counts"]["missing"], first["counts"]["orphans"]) == (2, 1)
    assert (rse.states(), rse.quarantine()) == ({}, []), "a first run never acts"

    checks.annotate("rse", requestedAt="second")
    second = checks.finished("rse", runs=2)
    assert (second["result"], second["reason"]) == ("Complete", "Completed")
    assert rse.states() == {MISSING: "D"}
    assert rse.quarantine() == [ORPHAN]
    (missing,) = [told for told in second["transfers"] if told["kind"] == "missing"]
    assert missing["requested"] == 1
    assert list(missing["refused"]) == ["no disk source elsewhere, and none on tape"]
    assert not rse.path(EMPTY).exists(), "the door itself has removed it"

    rse.work()
    checks.annotate("rse", requestedAt="third")
    third = checks.finished("rse", runs=3)
    assert (third["counts"]["missing"], third["counts"]["orphans"]) == (1, 0)
    assert (third["counts"]["requestsRecovered"], third["counts"]["requestsRemoved"]) == (1, 1)
    assert rse.path(MISSING).exists()
    assert not rse.path(ORPHAN).exists()
    assert rse.states() == {}
    assert LAST_COPY not in rse.states(), "nobody has declared it"
