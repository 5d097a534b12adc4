"""Rucio's server as a client meets it, and what is no Rucio: errors in one sentence."""

import time

import pytest
from rucio_door import Door, answering, client, closed, saying

from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.options import RestOptions
from dynamo_consistency.backend.rucio.rest.client import AnswerError, LostAnswerError, RestClient, rest_id
from dynamo_consistency.errors import BackendError


@pytest.fixture
def real(rucio_sqlite) -> RestClient:
    return RestClient(RestOptions.model_validate(rucio_sqlite.rest_options()))


class TestOfARealServer:
    def test_it_tells_its_version(self, real):
        assert real.ping().startswith("41.")

    def test_it_describes_an_rse(self, rucio_sqlite, real):
        site = rucio_sqlite.rse()
        ((ours,),) = rucio_sqlite.sql("SELECT id FROM rses WHERE rse = :rse", rse=site.name)
        assert rest_id(real.rse(site.name)["id"]) == rest_id(ours)
        with pytest.raises(AnswerError, match="RSENotFound"):
            real.rse("NOSUCH")

    def test_it_tells_the_rses_of_an_expression(self, rucio_sqlite, real):
        site = rucio_sqlite.rse()
        assert real.rses(site.name) == {site.name}
        assert real.rses("availability_read=True&country_name=Nowhere") == set()
        with pytest.raises(AnswerError, match="InvalidRSEExpression"):
            real.rses("((")

    def test_it_makes_pfns(self, rucio_sqlite, real):
        site = rucio_sqlite.rse(algorithm="identity")
        dids = [Did("s", f"a/{number}") for number in range(45)]
        pfns = real.lfns2pfns(site.name, dids)
        assert {did: pfn.partition(str(site.folder))[2] for did, pfn in pfns.items()} == {
            did: f"/s/{did.name}" for did in dids
        }

    def test_a_token_that_it_takes_no_more_is_renewed(self, rucio_sqlite, real):
        site = rucio_sqlite.rse()
        real._token = "of yesterday"
        assert real.rse(site.name)["rse"] == site.name
        assert real._token != "of yesterday"

    def test_a_wrong_password_is_told_and_not_shown(self, rucio_sqlite, tmp_path):
        (tmp_path / "wrong").write_text("not-the-password-4711\n")
        options = rucio_sqlite.rest_options(passwordFile=str(tmp_path / "wrong"))
        with pytest.raises(AnswerError, match="is the account root right") as raised:
            RestClient(RestOptions.model_validate(options)).rse("X")
        assert "CannotAuthenticate" in str(raised.value)
        assert "4711" not in str(raised.value)


class TestAnswers:
    def test_what_is_no_rucio_is_told(self, door, with_token):
        for path, ask in (
            ("/ping", with_token.ping),
            ("/rses/A", lambda: with_token.rse("A")),
            ("/rses/?", lambda: with_token.rses("a=b")),
            ("/rses/A/lfns2pfns", lambda: with_token.lfns2pfns("A", [("s", "f")])),
        ):
            for nonsense in (b"<html>welcome</html>", b'["a"]', b"{}", b"7"):
                door.always = {path: answering(nonsense)}
                with pytest.raises(LostAnswerError, match="as it should"):
                    ask()

    def test_an_answer_that_is_cut_off_never_looks_whole(self, door, with_token):
        door.always["/rses"] = answering(b'{"rse": "A"}\n{"rse": "B', **{"Content-Type": "application/x-json-stream"})
        with pytest.raises(LostAnswerError):
            with_token.rses("*")

    def test_a_server_that_sends_us_elsewhere_is_not_followed(self, door, with_token):
        with Door() as elsewhere:
            door.always["/rses"] = saying(302, Location=f"{elsewhere.url}/rses/A")
            with pytest.raises(AnswerError, match="where no credential is taken"):
                with_token.rse("A")
            assert elsewhere.seen == []

    def test_a_server_that_is_gone_is_told(self, token_file):
        with closed() as url, pytest.raises(BackendError, match=r"cannot be reached: .*Connection refused.*is it up"):
            client(url, auth="token", tokenFile=str(token_file)).ping()

    def test_a_host_that_does_not_exist_is_told(self, token_file):
        with pytest.raises(BackendError, match="cannot be reached"):
            client("http://nosuch.invalid", auth="token", tokenFile=str(token_file)).ping()

    def test_a_server_that_never_answers_is_not_waited_for_for_long(self, door, token_file):
        door.always["/rses"] = lambda request, forward: time.sleep(2)
        asking = client(door.url, auth="token", tokenFile=str(token_file), timeoutSeconds=1)
        with pytest.raises(LostAnswerError, match="timed out"):
            asking.rse("A")


@pytest.mark.parametrize("told", ["0123456789ABCDEF0123456789abcdef", bytes.fromhex("0123456789abcdef" * 2)])
def test_ids_are_written_as_the_server_writes_them(told):
    assert rest_id(told) == "0123456789abcdef" * 2
