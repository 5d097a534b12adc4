"""dynamo-consistency's configuration, as its package ships it."""

import json

import pytest

PACKAGED = {
    "AccessMethod": {},
    "AdditionalLogDeletions": {"T2_US_MIT": ["logs/prod/recent"]},
    "DeleteOrphans": 1,
    "DirectoryList": ["mc", "data", "hidata"],
    "FreeMem": 0,
    "GFALThreads": 32,
    "GlobalRedirectors": ["cms-xrd-global.cern.ch"],
    "IgnoreAge": 1,
    "IgnoreDirectories": ["/RAW"],
    "InventoryAge": 5e-05,
    "ListAge": 5e-05,
    "ListDeletable": {
        "LFN_TO_CLEAN": "/store/unmerged",
        "UNMERGED_DIR_LOCATION": "/store/unmerged",
        "WHICH_LIST": "files",
        "DELETION_FILE": "deletable.txt",
        "DIRS_TO_AVOID": ["SAM", "logs"],
        "MIN_AGE": 2419200,
    },
    "MaxMissing": 100,
    "MaxOrphan": 1000,
    "NumThreads": 1,
    "PathPrefix": {},
    "RedirectorAge": 1,
    "Redirectors": {"T3_US_MIT": "t3serv006.mit.edu"},
    "Retries": 1,
    "RootPath": "/store",
    "SaveCache": 0,
    "Timeout": 60,
    "Unmerged": ["T2_US_MIT"],
    "UnmergedLogsAge": 60,
    "UseLoadBalancer": [],
    "UseTransferQueue": 0,
    "VarLocation": "var",
    "WebDir": "www",
}


@pytest.fixture
def spec(convert):
    """The spec of one site, and all notes, of the packaged configuration with changes."""

    def spec(site: str = "T2_X", *more: str, **changes: object):
        result = convert("dynamo-consistency", json.dumps(PACKAGED | changes), "--site", site, *more)
        assert result.code == 0, result.notes
        return result.checks[site]["spec"], result

    return spec


def test_a_site_becomes_a_check(spec):
    found, _ = spec("T3_US_MIT")
    assert found == {
        "site": "T3_US_MIT",
        "backend": "default",
        "listing": {
            "source": {"xrootd": {"servers": ["root://t3serv006.mit.edu"]}},
            "roots": [{"path": "/store/mc"}, {"path": "/store/data"}, {"path": "/store/hidata"}],
            "retries": 1,
        },
        "comparison": {"ignoreAgeSeconds": 86400, "ignore": ["/RAW*"]},
        "policy": {"missing": {"maxCount": 100}, "orphans": {"maxCount": 1000}},
    }


def test_the_sites_that_the_file_names_are_converted_where_none_is_chosen(convert):
    result = convert(
        "dynamo-consistency", json.dumps(PACKAGED | {"UseLoadBalancer": ["T2_L"], "AccessMethod": {"T2_S": "SRM"}})
    )
    assert set(result.checks) == {"T2_US_MIT", "T3_US_MIT", "T2_L", "T2_S"}


def test_where_no_site_is_named_it_is_said_how_to(convert):
    result = convert("dynamo-consistency", json.dumps({"DirectoryList": ["mc"], "RootPath": "/store"}))
    assert result.code == 2
    assert "--site" in result.notes[0]


def test_every_key_of_the_package_is_taken_or_told_with_its_reason(spec):
    _, result = spec("T2_X")
    taken = {
        "AccessMethod", "AdditionalLogDeletions", "DeleteOrphans", "DirectoryList", "IgnoreAge", "IgnoreDirectories",
        "ListDeletable", "MaxMissing", "MaxOrphan", "PathPrefix", "Redirectors", "Retries", "RootPath", "Unmerged",
        "UnmergedLogsAge", "UseLoadBalancer",
    }  # fmt: skip
    assert {note.split(":")[0] for note in result.notes} == set(PACKAGED) - taken
    assert not any("unknown" in note for note in result.notes)


def test_an_unknown_key_is_told(spec):
    _, result = spec(MaxMising=3, ListDeletable={"MIN_AGEE": 3})
    assert "unknown key" in result.note("MaxMising:")
    assert "unknown key" in result.note("ListDeletable.MIN_AGEE:")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("/RAW", "/RAW*"),
        ("SAM/", "*SAM"),
        ("/HC/", "/HC"),
        ("x", "*x*"),
        ("/a/b", "/a/b*"),
        ("a*b", "*a*b*"),
        ("/R?W [1]", "/R*W**1]*"),
    ],
)
def test_a_text_becomes_a_pattern_that_matches_at_least_as_much(spec, text, pattern):
    from dynamo_consistency.paths import PatternFilter

    found, _ = spec(IgnoreDirectories=[text])
    assert found["comparison"]["ignore"] == [pattern]
    ignored = PatternFilter([pattern]).ignored
    for path in ("/store/RAW/f", "/store/RAWSIM/f", "/store/xSAM/f", "/store/HC/f", "/store/a/bc/f", "/store/yxz/f"):
        assert ignored(path.encode()) or text not in path


@pytest.mark.parametrize("text", ["/", "*", "*/", "?"])
def test_a_text_that_no_pattern_can_be_is_told(spec, text):
    found, result = spec(IgnoreDirectories=[text, "/RAW"])
    assert found["comparison"]["ignore"] == ["/RAW*"]
    assert "cannot be said as a pattern" in result.note("IgnoreDirectories:")
    assert found["suspend"] is True


@pytest.mark.parametrize(
    ("changes", "key"),
    [({"MaxMissing": 5000}, "MaxMissing"), ({"MaxOrphan": 10**9}, "MaxOrphan"), ({"IgnoreAge": 0.5}, "IgnoreAge")],
)
def test_what_allows_more_than_our_defaults_is_told_and_not_taken(spec, changes, key):
    found, result = spec(**changes)
    assert "stays" in result.note(f"{key}:")
    assert "maxCount" not in found["policy"].get({"MaxMissing": "missing", "MaxOrphan": "orphans"}.get(key, ""), {})
    assert key != "IgnoreAge" or "ignoreAgeSeconds" not in found["comparison"]


def test_a_longer_age_is_taken_and_rounded_up(spec):
    assert spec(IgnoreAge=1.500001)[0]["comparison"]["ignoreAgeSeconds"] == 129601


def test_orphans_that_were_only_reported_stay_so(spec):
    found, result = spec(DeleteOrphans=0)
    assert "mode" not in found["policy"]["orphans"]
    assert "Report" in result.note("DeleteOrphans:")


def test_a_prefix_stands_before_the_paths_of_its_door(spec):
    found, _ = spec("T2_X", Redirectors={"T2_X": "door:1094"}, PathPrefix={"T2_X": "/pnfs/cms"})
    assert found["listing"]["source"] == {"xrootd": {"servers": ["root://door:1094"], "prefix": "/pnfs/cms"}}


@pytest.mark.parametrize(
    ("method", "words"), [("SRM", "listing.source.gfal"), ("RAL-Reader", "listing.source.dump"), ("ftp", "is unknown")]
)
def test_another_way_in_is_told_and_the_redirector_not_asked(spec, method, words):
    site = {"AccessMethod": {"T2_X": method}, "Redirectors": {"T2_X": "door"}, "PathPrefix": {"T2_X": "/p"}}
    found, result = spec("T2_X", **site)
    assert "source" not in found["listing"]
    assert words in result.note("AccessMethod:")
    assert "not asked" in result.note("Redirectors:")
    assert "not named" in result.note("PathPrefix:")


def test_a_subshell_of_xrootd_is_xrootd(spec):
    found, _ = spec("T2_X", AccessMethod={"T2_X": "directx"}, Redirectors={"T2_X": "door"})
    assert found["listing"]["source"] == {"xrootd": {"servers": ["root://door"]}}


def test_a_password_is_told_nowhere(spec):
    _, result = spec(DBConfig={"Registry": {"user": "x", "passwd": "hush-hush"}})
    assert "backends.yaml" in result.note("DBConfig:")
    assert "hush-hush" not in "".join(result.notes) + result.stdout


class TestTheUnmergedArea:
    def test_it_is_cleaned_where_it_was(self, spec):
        found, result = spec("T2_US_MIT", "--protected-from", "https://protected.example.org")
        assert found["unmerged"] == {
            "path": "/store/unmerged",
            "mode": "Report",
            "minAgeSeconds": 2419200,
            "logs": {"minAgeSeconds": 5184000, "additional": ["/store/logs/prod/recent"]},
            "exclude": ["data", "express", "tier0_harvest", "*SAM*"],
            "protectedFrom": {"url": "https://protected.example.org"},
        }
        assert "have an age of their own" in result.note("ListDeletable.DIRS_TO_AVOID:")

    def test_it_is_left_alone_where_it_was(self, spec):
        found, _ = spec("T2_X", "--protected-from", "https://protected.example.org")
        assert "unmerged" not in found

    def test_without_a_list_of_what_is_protected_it_is_left_out(self, spec):
        found, result = spec("T2_US_MIT")
        assert "unmerged" not in found
        assert "--protected-from" in result.note("Unmerged:")

    def test_ages_below_ours_are_told_and_not_taken(self, spec):
        deletable = {"ListDeletable": {"MIN_AGE": 1209600}, "UnmergedLogsAge": 7}
        found, result = spec("T2_US_MIT", "--protected-from", "x", **deletable)
        assert "minAgeSeconds" not in found["unmerged"]
        assert "minAgeSeconds" not in found["unmerged"]["logs"]
        assert "protects less" in result.note("ListDeletable.MIN_AGE:")
        assert "protects less" in result.note("UnmergedLogsAge:")

    def test_another_root_is_taken(self, spec):
        deletable = {"ListDeletable": {"AlternateRoot": {"T2_US_MIT": "/store/dcachetests"}}}
        found, _ = spec("T2_US_MIT", "--protected-from", "x", **deletable)
        assert found["unmerged"]["path"] == "/store/dcachetests/unmerged"

    def test_an_area_that_is_also_a_root_is_no_root(self, spec):
        found, result = spec("T2_X", "--protected-from", "x", DirectoryList=["mc", "unmerged"])
        assert found["listing"]["roots"] == [{"path": "/store/mc"}]
        assert found["unmerged"]["path"] == "/store/unmerged"
        assert "it is no root" in result.note("DirectoryList:")

    def test_an_area_within_a_root_is_excluded_there(self, spec):
        found, _ = spec("T2_US_MIT", "--protected-from", "x", RootPath="/", DirectoryList=["store"],
                        ListDeletable={"LFN_TO_CLEAN": "/store/temp"}, AdditionalLogDeletions={})  # fmt: skip
        assert found["listing"]["exclude"] == ["/store/temp", "/store/unmerged"]

    def test_settings_of_an_area_at_no_site_are_told(self, spec):
        _, result = spec("T2_X", Unmerged=[])
        assert "it names no site" in result.note("Unmerged:")

    def test_a_site_may_be_named_as_text(self, spec):
        found, _ = spec("T2_X", "--protected-from", "x", Unmerged="T2_X")
        assert "unmerged" in found

    def test_directories_to_avoid_that_cannot_be_read_suspend(self, spec):
        found, _ = spec("T2_US_MIT", "--protected-from", "x", ListDeletable={"DIRS_TO_AVOID": 5})
        assert found["suspend"] is True


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rses": {}}', '{"RootPath": "\\ud800"}'])
def test_what_is_no_such_configuration_is_refused(convert, text):
    assert convert("dynamo-consistency", text, "--site", "T2_X").code == 2


def test_yaml_is_read_as_well(command, tmp_path):
    (tmp_path / "config.yml").write_text("RootPath: /store\nDirectoryList: [mc]\nMaxMissing: 7\n")
    result = command("convert", "dynamo-consistency", tmp_path / "config.yml", "--site", "T2_X")
    assert result.checks["T2_X"]["spec"]["policy"]["missing"] == {"maxCount": 7}
