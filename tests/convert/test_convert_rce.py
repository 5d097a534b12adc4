"""RCE's configuration, as the chart of CMS writes it, and RSE attributes."""

import contextlib
import json
import sqlite3

import pytest
import yaml

COMMON = """
ignore_list: [/store/backfill, /store/mc/SAM, /store/mc/HC/, /store/unmerged]
scanner:
  recursion: 1
  nworkers: 8
  timeout: 3600
  server_root: /
  remove_prefix: /
  add_prefix: /
  roots: [{path: /store/express}, {path: /store/mc}, {path: /store/data}]
dbdump: {path_root: /}
missing_action: {max_fraction: 0.01, max_age_last_run: 3}
dark_action: {max_fraction: 0.01, max_age_last_run: 3, min_runs: 3, confirmation_window: 35, min_age_first_run: 25}
"""


def config(common: str = COMMON, **rses: object) -> str:
    return yaml.safe_dump({"rses": {"*": yaml.safe_load(common), **rses}})


def changed(**changes: object) -> str:
    """`COMMON` with further keys at its top."""
    return yaml.safe_dump(yaml.safe_load(COMMON) | changes)


def test_an_rse_becomes_a_check(convert):
    rse = {"scanner": {"server": "storage01.lcg.cscs.ch:1096", "server_root": "/pnfs/lcg.cscs.ch/cms/trivcat"}}
    result = convert("rce", config(T2_CH_CSCS=rse))
    assert result.code == 0
    assert result.checks["T2_CH_CSCS"] == {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "t2-ch-cscs"},
        "spec": {
            "site": "T2_CH_CSCS",
            "backend": "default",
            "listing": {
                "source": {
                    "xrootd": {
                        "servers": ["root://storage01.lcg.cscs.ch:1096"],
                        "prefix": "/pnfs/lcg.cscs.ch/cms/trivcat",
                    }
                },
                "roots": [{"path": "/store/express"}, {"path": "/store/mc"}, {"path": "/store/data"}],
                "exclude": ["/store/mc/SAM", "/store/mc/HC"],
            },
            "policy": {
                "missing": {"maxFraction": "0.01"},
                "orphans": {"maxFraction": "0.01", "confirmRuns": 3, "confirmSpanSeconds": 25 * 86400},
                "emptyDirectories": {"confirmRuns": 3, "confirmSpanSeconds": 25 * 86400},
            },
        },
    }


def test_what_an_rse_says_of_itself_overrules_what_is_said_of_all(convert):
    rse = {"scanner": {"server": "a", "roots": [{"path": "/store/hidata"}]}, "dark_action": {"max_fraction": 0.001}}
    spec = convert("rce", config(T2_A=rse, T2_B=None)).checks["T2_A"]["spec"]
    assert spec["listing"]["roots"] == [{"path": "/store/hidata"}]
    assert spec["policy"]["orphans"]["maxFraction"] == "0.001"
    assert spec["policy"]["orphans"]["confirmRuns"] == 3


def test_attributes_overrule_the_file(convert, tmp_path):
    attributes = {
        "CE_config.server": "door.example.org:1095",
        "CE_config.server_root": "/dpm",
        "CE_config.roots": "/store/mc, /store/hidata",
        "CE_config.ignore_list": "/store/mc/SAM,/store/mc/test",
        "CE_config.ce_disabled": "True",
        "CE_config.max_dark_fraction": "0.005",
        "CE_config.max_missing_fraction": "0.002",
        "CE_config.nworkers": "4",
        "CE_config.timeout": "30",
        "site": "T2_A",
    }
    file = tmp_path / "attributes.json"
    file.write_text(json.dumps({"T2_A": attributes, "T2_NEW": {"CE_config.server": "new"}, "T2_OTHER": {"site": "x"}}))
    result = convert("rce", config(T2_A={"scanner": {"server": "old"}}), "--attributes", file)
    assert set(result.checks) == {"T2_A", "T2_NEW"}
    spec = result.checks["T2_A"]["spec"]
    assert spec["suspend"] is True
    assert spec["listing"] == {
        "source": {"xrootd": {"servers": ["root://door.example.org:1095"], "prefix": "/dpm"}},
        "roots": [{"path": "/store/mc"}, {"path": "/store/hidata"}],
        "exclude": ["/store/mc/SAM", "/store/mc/test"],
    }
    assert spec["policy"]["orphans"]["maxFraction"] == "0.005"
    assert spec["policy"]["missing"]["maxFraction"] == "0.002"
    assert "RCE did not run it" in result.note("rses:")


@pytest.fixture
def catalogue(tmp_path):
    """backends.yaml with the catalogue of a Rucio that has a few RSEs: only the tables that tell of these."""
    with contextlib.closing(sqlite3.connect(tmp_path / "rucio.db")) as database, database:
        database.execute("CREATE TABLE rses (id TEXT, rse TEXT, vo TEXT, deleted BOOLEAN)")
        database.execute("CREATE TABLE rse_attr_map (rse_id TEXT, key TEXT, value TEXT)")
        rses = [("1", "T2_A", 0), ("2", "T2_OLD", 1), ("3", "T2_B", 0)]
        database.executemany("INSERT INTO rses VALUES (?, ?, 'def', ?)", rses)
        rows = [("1", "CE_config.server", "door:1095"), ("1", "CExconfig.no", "x"), ("3", "site", "T2_B")]
        database.executemany("INSERT INTO rse_attr_map VALUES (?, ?, ?)", [*rows, ("2", "CE_config.server", "old")])
    file = tmp_path / "backends.yaml"
    file.write_text(f"backends: {{cms: {{type: rucio, database: 'sqlite:///{tmp_path}/rucio.db'}}}}")
    return file


def test_attributes_are_read_from_rucio_s_catalogue(convert, catalogue, tmp_path):
    result = convert("rce", config(T2_C=None), "--backends", catalogue, "--backend", "cms")
    assert set(result.checks) == {"T2_C", "T2_A"}
    assert result.checks["T2_A"]["spec"]["backend"] == "cms"
    assert result.checks["T2_A"]["spec"]["listing"]["source"] == {"xrootd": {"servers": ["root://door:1095"]}}
    (tmp_path / "attributes.json").write_text('{"T2_A": {"CE_config.server": "mine"}}')
    given = ("--backends", catalogue, "--backend", "cms", "--attributes", tmp_path / "attributes.json")
    assert convert("rce", config(T2_C=None), *given).checks["T2_A"]["spec"]["listing"]["source"] == {
        "xrootd": {"servers": ["root://mine"]}
    }


def test_only_a_rucio_has_attributes(convert, tmp_path):
    (tmp_path / "backends.yaml").write_text("backends: {default: {type: dynamo, url: 'sqlite:///x.db'}}")
    result = convert("rce", config(T2_A=None), "--backends", tmp_path / "backends.yaml")
    assert result.code == 2
    assert "not of type rucio" in result.notes[0]


def test_an_attribute_that_nobody_knows_is_told(convert, tmp_path):
    file = tmp_path / "attributes.json"
    file.write_text(json.dumps({"T2_A": {"CE_config.sever": "x"}}))
    result = convert("rce", config(T2_A=None), "--attributes", file)
    assert result.note("CE_config.sever:") == "CE_config.sever: unknown attribute: left out [T2_A]"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("partitions", "RCE never read it"),
        ("include_sizes", "RCE never read it"),
        ("npartitions", "not needed"),
        ("preprocess", "RCE never read it"),
        ("filter", "RCE never read it"),
        ("lfn_to_path", "say it in the source's rules"),
        ("odd", "RCE did not read it either"),
    ],
)
def test_every_key_that_is_not_taken_is_told(convert, key, why):
    assert why in convert("rce", config(changed(**{key: 5}), T2_A=None)).note(f"{key}:")


def test_keys_inside_of_others_are_told_as_well(convert):
    common = yaml.safe_load(COMMON)
    common["scanner"] |= {"serverr": "x", "is_redirector": True, "include_sizes": False}
    common["davs_scanner"] = {"nworkers": 32}
    common["dbdump"] = {"ignore": ["/store/x"]}
    common["scanner"]["roots"] = [{"path": "/store/mc", "ignore": ["/store/mc/x"], "odd": 1}, "no root at all:", 5]
    notes = convert("rce", config(yaml.safe_dump(common), T2_A=None)).notes
    keys = {note.split(":")[0] for note in notes}
    assert {"scanner.serverr", "scanner.is_redirector", "scanner.include_sizes", "davs_scanner.nworkers"} <= keys
    assert {"dbdump.ignore", "scanner.roots.ignore", "scanner.roots.odd", "scanner.roots"} <= keys


def test_keys_beside_the_rses_are_told_and_no_password_is_shown(convert):
    text = config(T2_A=None) + "database: {user: reader, password: hush-hush}\nmonitoring: {port: 1}\n"
    result = convert("rce", text)
    assert "backends.yaml" in result.note("database:")
    assert "unknown key" in result.note("monitoring:")
    assert "hush-hush" not in "\n".join(result.notes) + result.stdout


def test_what_is_the_same_for_many_rses_is_told_once(convert):
    result = convert("rce", config(**{f"T2_{letter}": None for letter in "ABCDE"}))
    assert result.note("scanner.nworkers:").endswith("[T2_A, T2_B, T2_C and 2 more]")


@pytest.mark.parametrize("dark", ["0.05", 0.02, 1])
def test_a_limit_that_allows_more_than_ours_is_told_and_not_taken(convert, dark):
    result = convert("rce", config(T2_A={"dark_action": {"max_fraction": dark}}))
    assert "maxFraction" not in result.checks["T2_A"]["spec"]["policy"]["orphans"]
    assert "raise policy.orphans.maxFraction if you mean it [T2_A]" in result.note("dark_action.max_fraction:")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"min_runs": 1, "min_age_first_run": 1}, {}),
        ({"min_runs": 4, "min_age_first_run": "30"}, {"confirmRuns": 4, "confirmSpanSeconds": 30 * 86400}),
    ],
)
def test_a_shorter_confirmation_than_ours_is_told_and_not_taken(convert, theirs, ours):
    result = convert("rce", config("scanner: {roots: [{path: /store/mc}]}", T2_A={"dark_action": theirs}))
    policy = result.checks["T2_A"]["spec"].get("policy", {})
    assert policy.get("orphans", {}) == ours
    assert policy.get("emptyDirectories", {}) == ours
    assert len([note for note in result.notes if "protects less" in note]) == (0 if ours else 2)


def test_where_the_file_has_no_word_of_it_rce_s_own_span_is_taken(convert):
    result = convert("rce", config("scanner: {roots: [{path: /store/mc}]}", T2_A=None))
    assert result.checks["T2_A"]["spec"]["policy"]["orphans"] == {"confirmSpanSeconds": 25 * 86400}


def test_a_fraction_that_meant_off_stays_as_small_as_it_was(convert):
    result = convert("rce", config(T1_UK_RAL_Tape={"dark_action": {"max_fraction": 1e-07}}))
    assert result.checks["T1_UK_RAL_Tape"]["spec"]["policy"]["orphans"]["maxFraction"] == "0.0000001"


def test_no_check_acts_by_itself(convert):
    result = convert("rce", config(T2_A=None))
    assert "Enforce" not in "".join(line for line in result.stdout.splitlines() if not line.startswith("#"))


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("cmsdcadisk.fnal.gov", {"xrootd": {"servers": ["root://cmsdcadisk.fnal.gov"]}}),
        ("[2001:db8::1]:1094", {"xrootd": {"servers": ["root://[2001:db8::1]:1094"]}}),
        ("roots://door:1095", {"xrootd": {"servers": ["roots://door:1095"]}}),
        ("davs://door:2880", {"webdav": {"servers": ["davs://door:2880"]}}),
    ],
)
def test_doors_of_every_shape_are_taken(convert, server, expected):
    result = convert("rce", config(T2_A={"scanner": {"server": server}}))
    assert result.checks["T2_A"]["spec"]["listing"]["source"] == expected


@pytest.mark.parametrize("server", ["door:99999", "user:pass@door", "door/path", "gsiftp://door"])
def test_what_is_no_door_is_told_and_left_out(convert, server):
    result = convert("rce", config(T2_A={"scanner": {"server": server}}))
    assert "source" not in result.checks["T2_A"]["spec"]["listing"]
    assert "left out" in result.note("scanner.server:")
    assert "pass@" not in "".join(result.notes)


def test_without_a_server_the_backend_tells_what_lists_the_site(convert):
    result = convert("rce", config(T1_UK_RAL_Disk=None))
    assert "source" not in result.checks["T1_UK_RAL_Disk"]["spec"]["listing"]
    assert "the backend says what lists the site" in result.note("scanner.server:")


@pytest.mark.parametrize(
    ("scanner", "prefix"),
    [
        ({"server_root": "/"}, None),
        ({"server_root": "", "remove_prefix": "", "add_prefix": ""}, None),
        ({"server_root": "//cms/phedex//"}, "/cms/phedex"),
        ({"server_root": "/dpm", "remove_prefix": "/home/cms", "add_prefix": "/"}, "/dpm"),
        ({"server_root": "/dpm", "remove_prefix": "/", "add_prefix": ""}, "/dpm"),
    ],
)
def test_the_prefix_is_what_stood_before_the_lfn(convert, scanner, prefix):
    result = convert("rce", config(T2_A={"scanner": {"server": "door", **scanner}}))
    assert result.checks["T2_A"]["spec"]["listing"]["source"]["xrootd"].get("prefix") == prefix
    assert not any("prefix" in note or "server_root" in note for note in result.notes)


def test_lfns_that_begin_otherwise_than_paths_have_rules(convert):
    scanner = {
        "server": "door",
        "remove_prefix": "/atlas",
        "add_prefix": "/store",
        "roots": ["/atlas/mc", "/atlas/d.x"],
    }
    result = convert("rce", config(T2_A={"scanner": scanner}))
    assert result.checks["T2_A"]["spec"]["listing"]["source"] == {
        "xrootd": {
            "servers": ["root://door"],
            "rules": [
                {"lfn": "/store/mc/(.*)", "path": "/atlas/mc/$1"},
                {"lfn": r"/store/d\.x/(.*)", "path": "/atlas/d.x/$1"},
            ],
        }
    }


def test_roots_of_which_two_would_be_one_path_are_told(convert):
    scanner = {"server": "door", "remove_prefix": "/a", "add_prefix": "/b", "roots": ["/a/x", "/b/x"]}
    result = convert("rce", config(T2_A={"scanner": scanner}))
    assert "source" in result.checks["T2_A"]["spec"]["listing"]


def test_roots_are_made_absolute_and_disjoint(convert):
    roots = [{"path": "store/mc"}, {"path": "/store/mc/deep"}, {"path": "/store//data/"}, {"path": "/store/data"}]
    result = convert("rce", config(T2_A={"scanner": {"roots": roots}}))
    assert result.checks["T2_A"]["spec"]["listing"]["roots"] == [{"path": "/store/mc"}, {"path": "/store/data"}]
    assert "/store/mc/deep lies in another root" in result.note("scanner.roots:")


def test_a_root_that_is_ignored_as_a_whole_is_left_out(convert):
    result = convert("rce", config(T2_A={"ignore_list": ["/store/mc", "/store/data"]}))
    assert result.checks["T2_A"]["spec"]["listing"]["roots"] == [{"path": "/store/express"}]
    assert "the roots /store/mc, /store/data are ignored as a whole" in result.note("ignore_list:")


def test_an_ignored_directory_outside_the_roots_is_told(convert):
    assert "/store/backfill, /store/unmerged lie in none" in convert("rce", config(T2_A=None)).note("ignore_list:")


def test_roots_outside_the_part_of_the_inventory_that_was_read_are_told(convert):
    result = convert("rce", config(T2_A={"dbdump": {"path_root": "/store/mc"}}))
    assert "/store/express, /store/data lie outside /store/mc" in result.note("dbdump.path_root:")


def test_an_rse_without_roots_makes_no_check(convert):
    result = convert("rce", config(T2_A={"scanner": {"roots": []}}, T2_B=None))
    assert set(result.checks) == {"T2_B"}
    assert "has no roots" in result.note("no check:")


def test_an_rse_that_no_check_can_name_is_told(convert):
    result = convert("rce", config(**{"T2 A": None, "T2_B": None, "T2_" + "x" * 70: None}))
    assert set(result.checks) == {"T2_B"}
    assert len([note for note in result.notes if note.startswith("no check: spec.site")]) == 2


def test_a_root_that_no_check_can_have_is_told(convert):
    result = convert("rce", config(T2_A={"scanner": {"roots": [{"path": "/store/../etc"}]}}))
    assert result.checks == {}
    assert "must not have . or .." in result.note("no check: spec.listing.roots")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ignore_list", 5),
        ("ignore_list", [5]),
        ("dark_action", {"max_fraction": "much"}),
        ("dark_action", {"min_runs": True}),
        ("scanner", {"server": ["a"]}),
        ("dark_action", {"max_fraction": float("nan")}),
        ("scanner", {"roots": 5}),
        ("scanner", {"roots": {"path": "/x"}}),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_and_left_out(convert, key, value):
    result = convert("rce", config(T2_A={key: value}))
    assert any("left out" in note for note in result.notes), result.notes


def test_names_are_such_as_kubernetes_allows_and_differ(convert):
    rses = {"T2_A": None, "T2.A": None, "t2_a": None, "T2_" + "long_" * 11 + "a": None}
    names = [check["metadata"]["name"] for check in convert("rce", config(**rses)).checks.values()]
    assert names[0] == "t2-a"
    assert len(set(names)) == 4
    assert all(len(name) <= 40 for name in names)


@pytest.mark.parametrize(
    "text", ["", "rses: [a]", "rses: {A: [x]}", "other: {}", "- a", "rses: {a: b: c}", "a: 1\n---\nb: 2"]
)
def test_what_is_no_configuration_of_rce_is_refused(convert, text):
    result = convert("rce", text)
    assert result.code == 2
    assert "config.yaml" in result.notes[0]


@pytest.mark.parametrize("text", ["{", "[]", '{"T2_A": 5}', '{"T2_A": "x"}'])
def test_attributes_that_are_none_are_refused(convert, tmp_path, text):
    file = tmp_path / "attributes.json"
    file.write_text(text)
    result = convert("rce", config(T2_A=None), "--attributes", file)
    assert result.code == 2
    assert "attributes.json" in result.notes[0]


def test_a_file_that_is_not_there_is_refused(command, tmp_path):
    assert command("convert", "rce", tmp_path / "none.yaml").code == 2
    assert command("convert", "rce", tmp_path / "none.json").code == 2


def test_each_check_goes_into_a_file_of_its_own(convert, tmp_path):
    result = convert("rce", config(T2_A=None, T2_B=None), "-o", tmp_path / "checks", "--backend", "rucio")
    assert result.stdout.splitlines() == [
        f"{tmp_path}/checks/{name}.yaml" for name in ("t2-a", "t2-b", "kustomization")
    ]
    written = yaml.safe_load((tmp_path / "checks" / "t2-a.yaml").read_text())
    assert (written["spec"]["site"], written["spec"]["backend"]) == ("T2_A", "rucio")


def test_a_file_that_is_there_already_is_kept(convert, tmp_path):
    (tmp_path / "t2-b.yaml").write_text("mine")
    result = convert("rce", config(T2_A=None, T2_B=None), "-o", tmp_path)
    assert result.code == 2
    assert "is there already" in result.notes[0]
    assert not (tmp_path / "t2-a.yaml").exists()
    assert (tmp_path / "t2-b.yaml").read_text() == "mine"
