"""Proxies and tokens: an expired one is a sentence before the listing starts."""

import base64
import calendar
import json
import os
from pathlib import Path

import pytest
from cryptography import x509
from xrdclient.testing import pki

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers import certificates
from dynamo_consistency.listers.credentials import check_credentials
from dynamo_consistency.secrets import redact

DAY = 86_400.0


@pytest.fixture(autouse=True)
def no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has the number 999999, nor files at its default places."""
    monkeypatch.setattr(os, "getuid", lambda: 999_999)


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> pki.PKI:
    return pki.create_pki(tmp_path_factory.mktemp("pki"), lifetime=3 * DAY)


def end_of(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()


def token(claims: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    return b".".join([*parts, b"signature"]).decode()


def test_no_credential_at_all_is_fine() -> None:
    check_credentials()


def test_a_proxy_is_good_until_its_end(grid: pki.PKI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X509_USER_PROXY", str(grid.proxy_path))
    check_credentials()
    ends = min(end_of(certificate) for certificate in x509.load_pem_x509_certificates(grid.proxy_path.read_bytes()))
    check_credentials(now=ends - 1)
    with pytest.raises(ListingError, match=r"X\.509 proxy .* expired at .* UTC: renew it with voms-proxy-init"):
        check_credentials(now=ends + 1)


def test_a_proxy_ends_with_the_first_certificate_of_its_chain(grid: pki.PKI) -> None:
    ends = [end_of(certificate) for certificate in (grid.ca, grid.host, grid.user)]
    chain = b"".join(path.read_bytes() for path in (grid.ca_file, grid.host_cert_path, grid.user_cert_path))
    assert certificates.chain_end(chain.decode()) == min(ends)


@pytest.mark.parametrize("year", [1999, 2049, 2050, 2199])
def test_certificates_of_all_centuries_are_read(year: int) -> None:
    end = f"{year % 100:02d}0203040506Z" if year < 2050 else f"{year}0203040506Z"
    time = bytes([0x17 if year < 2050 else 0x18, len(end)]) + end.encode()
    validity = b"\x30" + bytes([2 * len(time)]) + time * 2
    signed = b"\xa0\x03\x02\x01\x02" + b"\x02\x01\x01" + b"\x30\x00" + b"\x30\x00" + validity
    signed = b"\x30\x81" + bytes([len(signed)]) + signed
    certificate = b"\x30\x82" + len(signed).to_bytes(2, "big") + signed
    assert certificates.not_after(certificate) == calendar.timegm((year, 2, 3, 4, 5, 6))


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\xfe"]
)
def test_a_proxy_that_is_none_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    (tmp_path / "proxy").write_bytes(content)
    monkeypatch.setenv("X509_USER_PROXY", str(tmp_path / "proxy"))
    with pytest.raises(ListingError, match="is not valid: renew it"):
        check_credentials()


def test_a_proxy_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X509_USER_PROXY", "/nowhere/proxy")
    with pytest.raises(ListingError, match="/nowhere/proxy cannot be read: No such file"):
        check_credentials()


@pytest.mark.parametrize("in_file", [True, False])
def test_an_expired_token_is_one_sentence_without_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_file: bool
) -> None:
    secret = token({"exp": 1000, "sub": "somebody"})
    (tmp_path / "token").write_text(secret + "\n")
    name, value = ("BEARER_TOKEN_FILE", str(tmp_path / "token")) if in_file else ("BEARER_TOKEN", secret)
    monkeypatch.setenv(name, value)
    check_credentials(now=999)
    with pytest.raises(ListingError, match="expired at 1970-01-01 00:16:40 UTC: renew it") as caught:
        check_credentials(now=1000)
    assert secret not in str(caught.value)
    assert redact(f"header {secret}") == "header ***"


def test_a_token_whose_end_is_before_all_dates_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEARER_TOKEN", token({"exp": -1e30}))
    with pytest.raises(ListingError, match=r"expired at -1e\+30: renew it"):
        check_credentials()


@pytest.mark.parametrize("text", ["opaque", "a.b.c", token({}), token([1]), token({"exp": "soon"})])
def test_a_token_without_a_readable_end_is_left_to_its_issuer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BEARER_TOKEN", text)
    check_credentials()


def test_an_empty_token_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("\n")
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(ListingError, match="is not valid: renew it"):
        check_credentials()


def test_a_forgotten_credential_at_a_default_place_only_explains_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_lister, closed_door: str
) -> None:
    (tmp_path / "bt_u999999").write_text(token({"exp": 1000}))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    check_credentials()
    with pytest.raises(ListingError, match=r"no XRootD door answers: .*\(the token .*bt_u999999 expired at 1970"):
        make_lister(closed_door).prepare()


def test_a_listing_does_not_start_with_an_expired_credential(make_lister, monkeypatch, fake) -> None:
    monkeypatch.setenv("BEARER_TOKEN", token({"exp": 1000}))
    with pytest.raises(ListingError, match="expired"):
        make_lister(str(fake.url)).prepare()
    assert fake.seen == []
