"""A site's storage.json: doors, and rules from LFN to path, become checks."""

import json

import pytest

DOOR = "root://door.example.org:1094"
ALL = {"lfn": "/+store/(.*)", "pfn": f"{DOOR}//pnfs/cms/store/$1"}
SCRATCH = {"lfn": "/+store/unmerged/(.*)", "pfn": f"{DOOR}//scratch/unmerged/$1"}
LOAD_TEST = {"lfn": "/+store/LoadTest/Debug_.*/X_(.*)_.*", "pfn": f"{DOOR}//pnfs/lt/$1"}


def protocol(*rules: dict[str, str], name: str = "XRootD", access: str = "global-rw") -> dict[str, object]:
    return {"protocol": name, "access": access, "rules": list(rules)}


def volume(*protocols: dict[str, object], rse: str | None = "T2_X", kind: str = "DISK") -> dict[str, object]:
    return {"site": "T2_X", "volume": "V", "protocols": list(protocols), "type": kind, "rse": rse, "fts": []}


@pytest.fixture
def converted(command, tmp_path):
    """The specs of the checks by site, and the result; each check is valid."""

    def convert(*volumes: object, more: tuple[str, ...] = ("--root", "/store/mc")):
        (tmp_path / "storage.json").write_text(json.dumps(volumes))
        result = command("convert", "storage-json", tmp_path / "storage.json", *more)
        if result.checks:
            (tmp_path / "checks.yaml").write_text(result.stdout)
            assert command("validate", "-f", tmp_path / "checks.yaml").code == 0
        return {site: check["spec"] for site, check in result.checks.items()}, result

    return convert


def source(specs) -> object:
    return specs["T2_X"]["listing"]["source"]


def test_a_prefix_stays_one(converted):
    found, _ = converted(volume({"protocol": "WebDAV", "access": "global-rw", "prefix": "davs://door:2880/pnfs/cms"}))
    assert source(found) == {"webdav": {"servers": ["davs://door:2880"], "prefix": "/pnfs/cms"}}


def test_a_rule_that_keeps_the_lfn_is_a_prefix(converted):
    found, _ = converted(volume(protocol(LOAD_TEST, SCRATCH, ALL)))
    assert source(found) == {"xrootd": {"servers": [DOOR], "prefix": "/pnfs/cms"}}


def test_a_scratch_area_elsewhere_has_a_rule_of_its_own(converted):
    found, _ = converted(
        volume(protocol(SCRATCH, ALL)), more=("--root", "/store/mc", "--protected-from", "https://example.org/list")
    )
    rules = source(found)["xrootd"]["rules"]
    assert rules == [
        {"lfn": "/store/unmerged/(.*)", "path": "/scratch/unmerged/$1"},
        {"lfn": "/store/(.*)", "path": "/pnfs/cms/store/$1"},
    ]
    assert found["T2_X"]["unmerged"]["path"] == "/store/unmerged"


def test_rules_follow_their_chain(converted):
    inner = {"protocol": "pnfs", "access": "virtual", "rules": [{"lfn": "/+store/(.*)", "pfn": "/pnfs/store/$1"}]}
    outer = {"lfn": "/+pnfs/(.*)", "pfn": "davs://door/cms/$1", "chain": "pnfs"}
    found, _ = converted(volume(inner, protocol(outer, name="WebDAV")))
    assert source(found) == {"webdav": {"servers": ["davs://door"], "prefix": "/cms"}}


def test_doors_for_all_come_before_those_of_the_site_and_xrootd_before_webdav(converted):
    own = protocol({"lfn": "/(.*)", "pfn": "root://own//x/$1"}, access="site-ro")
    web = protocol({"lfn": "/(.*)", "pfn": "davs://web/x/$1"}, name="WebDAV")
    found, _ = converted(volume(own, web))
    assert "webdav" in source(found)
    found, result = converted(volume(own))
    assert "xrootd" in source(found)
    assert "for the site itself" in result.note("access:")
    found, _ = converted(volume(web, protocol(ALL)))
    assert "xrootd" in source(found)
    found, _ = converted(volume(web, protocol(ALL)), more=("--root", "/store/mc", "--protocol", "WebDAV"))
    assert "webdav" in source(found)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"lfn": "/+store/(mc|data)/(.*)", "pfn": f"{DOOR}//$1/$2"}, ALL], "cannot be read backwards"),
        ([{"lfn": "/+store/mc/a/(.*)", "pfn": f"{DOOR}//elsewhere/$1"}, ALL], "elsewhere at the site"),
        (
            [{"lfn": "/+store/mc/(.*)", "pfn": f"{DOOR}//p/$1"}, {"lfn": "/+store/(.*)", "pfn": f"{DOOR}//p/$1"}],
            "nobody",
        ),
        ([{"lfn": "/+store/mc/(.*)", "pfn": "root://other//p/$1"}, ALL], "several doors"),
        ([{"lfn": "/+store/data/(.*)", "pfn": f"{DOOR}//p/$1"}], "nothing leads to its roots"),
        ([{"lfn": "/(.*)", "pfn": "srm://door:8443/srm/managerv2?SFN=/p/$1"}], "srm is not listed by itself"),
        ([{"lfn": "/(.*)", "pfn": "/mnt/$1"}], "a path is not listed by itself"),
        ([{"lfn": "/(.*)", "pfn": "root://cms-xrd-global.cern.ch//$1"}], "leads to all sites"),
        ([{"lfn": "/(.*)", "pfn": f"{DOOR}//$1", "chain": "none"}], "no protocol of the volume"),
        ([{"lfn": "/(.*)", "pfn": f"{DOOR}//$1", "chain": "XRootD"}], "leads to itself"),
        ([{"lfn": 5, "pfn": "x"}], "is no rule"),
    ],
)
def test_what_cannot_be_said_makes_no_check_and_is_told(converted, rules, words):
    more = ("--root", "/store/mc", "--root", "/store/data") if "several" in words else ("--root", "/store/mc")
    found, result = converted(volume(protocol(*rules)), more=more)
    assert found == {}
    assert words in result.note("protocols.XRootD:")
    assert "no check" in result.note("no check:")


def test_names_that_a_later_rule_of_a_chain_takes_are_not_guessed(converted):
    inner = {
        "protocol": "fs",
        "access": "virtual",
        "rules": [{"lfn": "/+store/mc/(.*)", "pfn": "/a/$1"}, {"lfn": "/+store/(.*)", "pfn": "/b/$1"}],
    }
    outer = {"lfn": "/+b/(.*)", "pfn": f"{DOOR}//b/$1", "chain": "fs"}
    found, result = converted(volume(inner, protocol(outer)))
    assert found == {}
    assert "cannot be read backwards" in result.note("protocols.XRootD:")


def test_what_is_no_disk_only_reports(converted):
    found, result = converted(volume(protocol(ALL), kind="TAPE"))
    assert found["T2_X"]["tape"] is True
    assert "only reports" in result.note("type:")


def test_without_roots_those_of_cms_are_taken_and_told(converted):
    found, result = converted(volume(protocol(ALL)), more=())
    assert {"path": "/store/mc"} in found["T2_X"]["listing"]["roots"]
    assert "--root" in result.note("roots:")


def test_a_scratch_area_is_no_root(converted):
    found, result = converted(volume(protocol(ALL)), more=("--root", "/store/mc", "--root", "/store/unmerged"))
    assert found["T2_X"]["listing"]["roots"] == [{"path": "/store/mc"}]
    assert "--protected-from" in result.note("roots:")


def test_volumes_without_an_rse_and_second_ones_are_told(converted):
    found, result = converted(volume(protocol(ALL)), volume(protocol(ALL)), volume(rse=None))
    assert set(found) == {"T2_X"}
    assert sum("several volumes" in note for note in result.notes) == 1
    assert sum("has no RSE" in note for note in result.notes) == 1


@pytest.mark.parametrize("text", ["{}", "[5]", "[]", "{", '[{"rse": "T2_Y"}]'])
def test_what_is_no_storage_json_or_has_no_such_rse_is_refused(command, tmp_path, text):
    (tmp_path / "storage.json").write_text(text)
    assert command("convert", "storage-json", tmp_path / "storage.json", "--rse", "T2_X").code == 2
