"""Which names of hosts may be doors of one storage."""

import socket

import pytest

from dynamo_consistency.backend import storage_hosts
from dynamo_consistency.backend.storage_hosts import any_same_storage, same_storage


@pytest.fixture
def resolver(monkeypatch):
    """Addresses by host; a host that is not in it cannot be resolved."""
    known: dict[str, list[str]] = {}

    def resolve(host, port, **how):
        if host not in known:
            raise socket.gaierror("Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    storage_hosts.addresses.cache_clear()
    yield known
    storage_hosts.addresses.cache_clear()


def test_an_alias_and_the_doors_own_name_are_one_storage(resolver):
    resolver |= {"se.grid.example": ["192.0.2.1", "192.0.2.2"], "pool1.other.example": ["192.0.2.2"]}
    assert same_storage("se.grid.example", "pool1.other.example")
    assert same_storage("pool1.other.example", "se.grid.example")


def test_hosts_of_one_domain_are_one_storage_and_those_of_two_are_not(resolver):
    assert same_storage("door1.site-a.example.org", "door2.site-a.example.org")
    assert same_storage("door.grid.site-a.org", "site-a.org")
    assert not same_storage("door.site-a.example.org", "door.site-b.example.org")
    assert not same_storage("door.example.org", "door.notexample.org")
    assert not same_storage("a.org", "b.org")


def test_names_that_cannot_be_resolved_are_compared_as_they_are(resolver):
    assert same_storage("Pool", "pool.")
    assert not same_storage("pool", "loop")
    assert not same_storage("192.0.2.1", "192.0.2.2")


def test_an_address_is_the_host_that_has_it(resolver):
    resolver |= {"door.example.org": ["2001:db8::1"], "2001:db8::1": ["2001:db8::1"], "192.0.3.1": ["192.0.3.1"]}
    assert same_storage("[2001:db8::1]", "door.example.org")
    assert not same_storage("192.0.3.1", "door.example.org")


def test_a_storage_without_a_host_may_be_any(resolver):
    assert same_storage("", "door.example.org")
    assert same_storage("", "")


def test_one_door_in_common_is_enough(resolver):
    assert any_same_storage(["a.one.org", "b.two.org"], ["c.three.org", "d.two.org"])
    assert not any_same_storage(["a.one.org"], ["c.three.org", "d.two.org"])
    assert not any_same_storage([], ["a.one.org"])


def test_this_machine_has_two_names():
    assert same_storage("localhost", "127.0.0.1")
