"""`dynamo-consistency serve` as a process: how it begins, what it says, how it ends."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading

import pytest
from made_runs import Made, write_findings
from web_process import COMMAND, serving

from dynamo_consistency.cli.serve import serve
from dynamo_consistency.errors import ConfigurationError


def failing(*options: str) -> tuple[int, str]:
    done = subprocess.run([COMMAND, "serve", *options], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


@pytest.fixture
def made(store) -> Made:
    made = Made(counts={"missing": 20_000})
    rows = [{"path": f"/store/d{n // 100}/f{n:06}".encode(), "size": n} for n in range(20_000)]
    write_findings(made.write(store), "missing", rows)
    return made


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_a_signal_ends_it_quietly(store, made, how):
    with serving(store) as service:
        assert json.loads(service.get("api/v1/sites")[1])["total"] == 1
        assert service.get(f"api/v1/sites/T2_X/runs/{made.run_id}/lists/missing.csv")[1].count(b"\n") == 20_001
        assert service.get("nix")[0] == 404
        code, said = service.end(how)
    assert code == 0
    assert said == f"{store} on {service.url} (Ctrl-C ends it)\n"


def test_many_at_once_are_all_answered(store, made):
    paths = [f"api/v1/sites/T2_X/file?path=/store/d{n}/*" for n in range(20)]
    paths += [f"api/v1/sites/T2_X/runs/{made.run_id}", "api/v1/sites", "metrics", "healthz"] * 5
    found: list[int] = []
    with serving(store) as service:
        threads = [threading.Thread(target=lambda path=path: found.append(service.get(path)[0])) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _, said = service.end(signal.SIGINT)
    assert found == [200] * len(paths)
    assert "leaked" not in said


def test_a_reader_that_goes_away_in_the_middle_of_a_list_does_no_harm(store, made):
    with serving(store) as service:
        for _ in range(10):
            with socket.create_connection(service.address) as half:
                half.sendall(
                    f"GET /api/v1/sites/T2_X/runs/{made.run_id}/lists/missing.csv HTTP/1.1\r\n"
                    f"Host: localhost\r\n\r\n".encode()
                )
                half.recv(100)
        assert service.get(f"api/v1/sites/T2_X/runs/{made.run_id}/lists/missing.txt")[0] == 200
        assert service.end(signal.SIGINT)[0] == 0


def test_garbage_on_the_wire_ends_that_connection_only(store, made):
    with serving(store) as service:
        for garbage in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 70_000, b"\r\n" * 9, b""):
            with socket.create_connection(service.address) as connection, contextlib.suppress(OSError):
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
        assert service.get("healthz") == (200, b"ok\n")
        assert "Traceback" not in service.end(signal.SIGINT)[1]


def test_a_port_that_is_taken_is_said(store, made):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = failing("--store", str(store), "--listen", address)
    assert code == 1
    assert f"{address} cannot be listened on: Address already in use; choose another address with --listen" in said


@pytest.mark.parametrize(
    "listen", ["8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", ":80", "no.such.name.invalid:1"]
)
def test_what_is_no_address_is_said(store, listen):
    code, said = failing("--store", str(store), "--listen", listen)
    assert (code, len(said.splitlines())) == (2, 1)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    code, said = failing("--store", str(tmp_path / "nix"))
    assert (code, said) == (2, f"there is no folder {tmp_path / 'nix'} with runs; say with --store where they are")


def test_an_object_store_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    code, said = failing("--store", "s3://bucket/folder")
    assert code == 1
    assert "the store s3://bucket/folder cannot be used: " in said


def test_a_prefix_that_is_no_path_is_said(store):
    code, said = failing("--store", str(store), "--root-path", "consistency")
    assert (code, said) == (2, "--root-path wants a path, such as /consistency; it is 'consistency'")


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("--root-path", "/a b", "a path"),
        ("--root-path", "/<b>", "a path"),
        ("--root-path", "/a?b", "a path"),
        ("--host-name", "https://grid.example.org", "a name without scheme and port"),
        ("--host-name", "grid.example.org:443", "a name without scheme and port"),
        ("--host-name", "", "a name without scheme and port"),
        ("--user-header", "X User", "the name of a header"),
        ("--user-header", "X-User:", "the name of a header"),
    ],
)
def test_an_option_that_no_request_could_ever_meet_is_refused(store, option, value, wanted):
    with pytest.raises(ConfigurationError, match=f"^{option} wants {wanted}, such as .*; it is ") as refused:
        serve.main(["--store", str(store), "--listen", "127.0.0.1:0", option, value], standalone_mode=False)
    assert str(refused.value).endswith(repr(value))


def test_what_it_listens_on_beyond_this_machine_is_warned_of(store, made):
    with serving(store, "--listen", "0.0.0.0:0") as service:
        assert service.get("healthz")[0] == 200
        _, said = service.end(signal.SIGINT)
    assert "WARNING whoever reaches this address can read everything" in said


def test_without_its_packages_it_says_what_installs_them(store, tmp_path):
    program = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from dynamo_consistency.cli import main; main(['serve', '--store', sys.argv[1]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, store], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "serve needs the package uvicorn: pip install 'dynamo-consistency[web]'"


def test_a_password_in_the_address_of_the_store_is_not_logged(tmp_path):
    code, said = failing("--store", "ftp://user:hunter2@127.0.0.1:9/x")
    assert code != 0
    assert "hunter2" not in said
