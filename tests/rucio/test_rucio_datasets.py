"""Datasets: which are held at a site, which are let go, and which files belong to them."""

import threading

import pytest

from dynamo_consistency.errors import BackendError


@pytest.fixture
def site(rucio):
    """An RSE with the files a, b and c, of which a and b are in the dataset `ab`."""
    site = rucio.rse(algorithm="identity")
    for name in "abc":
        rucio.file(site, name)
    rucio.dataset("ab", ["a", "b"])
    return site


def expire(rucio, rule: str, when: str = "2020-01-01 00:00:00.000000") -> None:
    rucio.sql("UPDATE rules SET expires_at = :when WHERE id = :rule", when=when, rule=rule.replace("-", ""))


def path(rucio, name: str) -> str:
    return f"/{rucio.scope}/{name}"


def test_a_rule_protects_its_dataset_until_it_expires(rucio, site):
    inventory, dataset = rucio.backend().inventory, f"{rucio.scope}:ab"
    assert inventory.protected_datasets(site.name) == set()
    rule = rucio.rule("ab", site)
    assert inventory.protected_datasets(site.name) == {dataset}
    assert rucio.backend().deletion_requests(site.name) == set()
    expire(rucio, rule, "2999-01-01 00:00:00.000000")
    assert inventory.protected_datasets(site.name) == {dataset}
    expire(rucio, rule)
    assert inventory.protected_datasets(site.name) == set()
    assert rucio.backend().deletion_requests(site.name) == {dataset}


def test_one_rule_that_stands_is_enough(rucio, site):
    account = rucio.account("other")
    rucio.ask("POST", f"/accountlimits/local/{account}/{site.name}", {"bytes": -1})
    first, _ = rucio.rule("ab", site), rucio.rule("ab", site, account=account)
    expire(rucio, first)
    assert rucio.backend().inventory.protected_datasets(site.name) == {f"{rucio.scope}:ab"}
    assert rucio.backend().deletion_requests(site.name) == set()


def test_rules_elsewhere_protect_nothing_here(rucio, site):
    other = rucio.rse("OTHER")
    rucio.distance(site, other)
    rucio.rule("ab", other)
    assert rucio.backend().inventory.protected_datasets(site.name) == set()
    assert rucio.backend().inventory.protected_datasets(other.name) == {f"{rucio.scope}:ab"}


def test_a_rule_that_spreads_files_protects_its_dataset_too(rucio, site):
    rule = rucio.rule("ab", site, grouping="NONE")
    assert rucio.sql("SELECT count(*) FROM dataset_locks WHERE scope = :scope", scope=rucio.scope) == [(0,)]
    assert rucio.backend().inventory.protected_datasets(site.name) == {f"{rucio.scope}:ab"}
    expire(rucio, rule)
    assert rucio.backend().inventory.protected_datasets(site.name) == set()


def test_a_rule_for_a_file_names_no_dataset(rucio, site):
    rucio.rule("c", site)
    rucio.rule("b", site, grouping="NONE")
    assert rucio.backend().inventory.protected_datasets(site.name) == set()


def test_a_lock_whose_rule_is_gone_protects(rucio_sqlite):
    """PostgreSQL would not let it come to that."""
    rucio, site = rucio_sqlite, rucio_sqlite.rse()
    rucio.file(site, "a")
    rucio.dataset("ab", ["a"])
    rule = rucio.rule("ab", site).replace("-", "")
    rucio.sql("UPDATE dataset_locks SET rule_id = :other WHERE rule_id = :rule", rule=rule, other="0" * 32)
    assert rucio.backend().inventory.protected_datasets(site.name) == {f"{rucio.scope}:ab"}
    assert rucio.backend().deletion_requests(site.name) == set()


def test_a_dataset_that_has_itself_expired_is_being_deleted(rucio, site):
    rucio.sql(
        "UPDATE dids SET expired_at = '2020-01-01 00:00:00.000000' WHERE scope = :scope AND name IN ('ab', 'c')",
        scope=rucio.scope,
    )
    mine = {name for name in rucio.backend().deletion_requests(site.name) if name.startswith(f"{rucio.scope}:")}
    assert mine == {f"{rucio.scope}:ab"}
    rucio.sql("UPDATE dids SET expired_at = NULL WHERE scope = :scope", scope=rucio.scope)


def test_cms_blocks_are_named_by_their_dataset(rucio, site):
    rucio.dataset("/Primary/Era-v1/AOD#block1", ["a"], scope=rucio.scope)
    rule = rucio.rule("/Primary/Era-v1/AOD#block1", site)
    backend = rucio.backend(datasetNames="cms")
    assert backend.inventory.protected_datasets(site.name) == {"/Primary/Era-v1/AOD"}
    expire(rucio, rule)
    assert backend.deletion_requests(site.name) == {"/Primary/Era-v1/AOD"}
    assert backend.DatasetFilter({"/Primary/Era-v1/AOD"}).protected("/store/data/Era/Primary/AOD/v1/f.root")
    assert not backend.DatasetFilter({"/Other/Era-v1/AOD"}).protected("/store/data/Era/Primary/AOD/v1/f.root")


def test_a_file_is_protected_by_the_dataset_that_contains_it(rucio, site):
    chosen = rucio.backend().DatasetFilter({f"{rucio.scope}:ab"})
    assert chosen.protected(path(rucio, "a"))
    other = rucio.backend().DatasetFilter({f"{rucio.scope}:other"})
    assert not other.protected(path(rucio, "a"))
    assert not rucio.backend().DatasetFilter(set()).protected(path(rucio, "a"))


def test_a_file_is_protected_by_a_container_of_its_dataset(rucio, site):
    rucio.ask("POST", f"/dids/{rucio.scope}/inner", {"type": "CONTAINER"})
    rucio.ask("POST", f"/dids/{rucio.scope}/outer", {"type": "CONTAINER"})
    rucio.ask("POST", f"/dids/{rucio.scope}/inner/dids", {"dids": rucio.dids(["ab"])})
    rucio.ask("POST", f"/dids/{rucio.scope}/outer/dids", {"dids": rucio.dids(["inner"])})
    outer = rucio.backend().DatasetFilter({f"{rucio.scope}:outer"})
    assert outer.protected(path(rucio, "a"))
    assert outer.protected(path(rucio, "b"))


def test_a_file_of_which_rucio_knows_no_dataset_is_protected(rucio, site):
    assert rucio.backend().DatasetFilter({"x:y"}).protected(path(rucio, "c"))


def test_a_file_that_rucio_does_not_know_is_not_protected(rucio, site):
    chosen = rucio.backend().DatasetFilter({f"{rucio.scope}:ab"})
    for name in (path(rucio, "nobody"), "/elsewhere/a", "/a", "/caf\udce9", "/" + "x" * 3000):
        assert not chosen.protected(name)


def test_a_file_with_a_path_of_its_own_is_found_by_it(rucio, site):
    place = rucio.rse("PLACE", deterministic=False)
    rucio.file(place, "a", pfn=f"file://localhost:0{place.folder}/any/where")
    assert rucio.backend().DatasetFilter({f"{rucio.scope}:ab"}).protected("/any/where")


def test_of_every_did_that_a_path_may_stand_for_one_protected_is_enough(rucio, site):
    """As a hash and as an identity, and where the scope may end in several places."""
    scope = rucio.add_scope(f"user.x{rucio.number.replace('-', '')}")
    rucio.file(site, "v/f", scope=scope)
    rucio.dataset("d", ["v/f"], scope=scope)
    chosen = rucio.backend().DatasetFilter({f"{scope}:d"})
    assert chosen.protected(f"/{scope.replace('.', '/')}/v/f")


def test_many_files_are_judged_at_a_time(rucio, site):
    rucio.rows(site, 500, "many")
    chosen = rucio.backend().DatasetFilter({f"{rucio.scope}:ab"})
    names = [path(rucio, name) for name in ["a", "b", "c", *(f"dark{number}" for number in range(1000))]]
    assert chosen.protected_among(names) == {path(rucio, name) for name in "abc"}
    without_dataset = [path(rucio, f"many{number}") for number in range(1, 501)]
    assert chosen.protected_among(without_dataset) == set(without_dataset)


def test_a_filter_may_be_asked_from_several_threads(rucio, site):
    chosen = rucio.backend().DatasetFilter({f"{rucio.scope}:ab"})
    found = []
    threads = [
        threading.Thread(target=lambda name=name: found.append((name, chosen.protected(path(rucio, name)))))
        for name in ("a", "nobody") * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [("a", True)] * 4 + [("nobody", False)] * 4


def test_a_filter_that_cannot_ask_is_an_error_and_protects_nobody(rucio_sqlite):
    backend = rucio_sqlite.backend(database=f"sqlite:///{rucio_sqlite.folder}/nowhere.db")
    with pytest.raises(BackendError, match="there is no file"):
        backend.DatasetFilter({"x:y"}).protected("/a")


def test_files_are_reported_by_dataset_and_by_whose_rule_it_is(rucio, site, tmp_path):
    rucio.dataset("empty-handed", ["c"])
    account = rucio.account("physics")
    rucio.ask("POST", f"/accountlimits/local/{account}/{site.name}", {"bytes": -1})
    rucio.rule("ab", site, account=account)
    place = rucio.rse("PLACE", deterministic=False)
    rucio.file(place, "a", pfn=f"file://localhost:0{place.folder}/any/where")
    names = [path(rucio, name) for name in ("a", "b", "c", "dark")]
    (tmp_path / "in").write_text("".join(f"{name}\n" for name in names))
    rucio.backend().filelist_to_blocklist(site.name, f"{tmp_path}/in", f"{tmp_path}/out")
    assert [line.split(None, 2) for line in (tmp_path / "out").read_text().splitlines()] == [
        ["2", account, f"{rucio.scope}:ab#unknown"],
        ["1", "root", f"{rucio.scope}:empty-handed#unknown"],
        ["1", "Unsubscribed", "unknown#unknown"],
    ]
    (tmp_path / "in").write_text("/any/where\n")
    rucio.backend().filelist_to_blocklist(place.name, f"{tmp_path}/in", f"{tmp_path}/out")
    assert (tmp_path / "out").read_text().split()[2] == f"{rucio.scope}:ab#unknown"


def test_cms_files_are_reported_by_dataset_and_block(rucio, site, tmp_path):
    rucio.dataset("/Primary/Era-v1/AOD#block1", ["c"])
    (tmp_path / "in").write_text(path(rucio, "c") + "\n/store/data/Era/Primary/AOD/v1/dark.root\n")
    rucio.backend(datasetNames="cms").filelist_to_blocklist(site.name, f"{tmp_path}/in", f"{tmp_path}/out")
    assert sorted(line.split()[-1] for line in (tmp_path / "out").read_text().splitlines()) == [
        "/Primary/Era-v1/AOD#block1",
        "/Primary/Era-v1/AOD#unknown",
    ]
