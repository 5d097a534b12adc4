"""Scratch areas, switches, prefixes and schedules of the predecessors, in the ways in which people wrote them."""

import base64
import json

import pytest
import yaml
from predecessor_files import DYNAMO, STAR, UNMERGED, VALUES, config_map, rce

PROTECTED = ("--protected-from", "https://example.org/protected.txt")


class TestScratchAreas:
    def test_a_root_that_is_one_becomes_the_part_unmerged(self, convert):
        roots = {"scanner": {"server": "a", "roots": [{"path": "/store/mc"}, {"path": "/store/unmerged"}]}}
        spec = convert("rce", yaml.safe_dump(rce(roots, ignore_list=["/store/unmerged/SAM"])), *PROTECTED)
        assert spec.checks["T2_A"]["spec"]["listing"]["roots"] == [{"path": "/store/mc"}]
        assert spec.checks["T2_A"]["spec"]["unmerged"] == {
            "path": "/store/unmerged",
            "mode": "Report",
            "exclude": ["data", "express", "tier0_harvest", "/SAM"],
            "protectedFrom": {"url": "https://example.org/protected.txt"},
        }

    def test_one_of_another_file_joins_the_check(self, convert):
        text = yaml.safe_dump_all([config_map("u", yaml.safe_dump(UNMERGED)), config_map("c", yaml.safe_dump(rce()))])
        spec = convert("rce", text, *PROTECTED).checks["T2_A"]["spec"]
        assert spec["listing"]["source"] == {"xrootd": {"servers": ["root://a.example.org"]}}
        assert spec["unmerged"]["path"] == "/store/unmerged"

    def test_a_file_with_scratch_areas_alone_makes_no_check_and_says_why(self, convert):
        result = convert("rce", yaml.safe_dump(UNMERGED), *PROTECTED)
        assert result.checks == {}
        assert "convert its other roots together with this file" in result.note("no check:")

    def test_one_behind_another_prefix_is_left_out(self, convert):
        other = {"rses": {"T2_A": {"scanner": {"server_root": "/scratch", "roots": ["/store/unmerged"]}}}}
        result = convert("rce", yaml.safe_dump_all([rce(), other]), *PROTECTED)
        assert "unmerged" not in result.checks["T2_A"]["spec"]
        assert "another prefix" in result.note("unmerged:")

    def test_a_part_of_one_is_told_and_left_out(self, convert):
        roots = {"scanner": {"roots": [{"path": "/store/mc"}, {"path": "/store/unmerged/data"}]}}
        result = convert("rce", yaml.safe_dump(rce(roots)), *PROTECTED)
        assert "unmerged" not in result.checks["T2_A"]["spec"]
        assert "say the whole area" in result.note("unmerged:")

    def test_of_two_the_second_one_is_told(self, convert):
        roots = {"scanner": {"roots": [{"path": f"/store/{each}"} for each in ("mc", "unmerged", "a/unmerged")]}}
        result = convert("rce", yaml.safe_dump(rce(roots)), *PROTECTED)
        assert result.checks["T2_A"]["spec"]["unmerged"]["path"] == "/store/unmerged"
        assert any("left out are /store/a/unmerged" in note for note in result.notes)

    def test_one_below_a_root_of_everything_is_cleaned_and_excluded(self, convert):
        config = DYNAMO | {"RootPath": "/", "DirectoryList": ["store"], "Unmerged": ["T2_A"]}
        spec = convert("dynamo-consistency", json.dumps(config), *PROTECTED).checks["T2_A"]["spec"]
        assert (spec["unmerged"]["path"], spec["listing"]["exclude"]) == ("/store/unmerged", ["/store/unmerged"])

    def test_one_that_is_ignored_stays_out(self, convert):
        roots = {"scanner": {"roots": [{"path": "/store/mc"}, {"path": "/store/unmerged"}]}}
        result = convert("rce", yaml.safe_dump(rce(roots, ignore_list=["/store/unmerged"])), *PROTECTED)
        assert "unmerged" not in result.checks["T2_A"]["spec"]


class TestSwitches:
    @pytest.mark.parametrize(
        "value",
        [True, 1, "yes", "disabled", "Disabled", "maintenance", "", "2", ["x"], {"since": "2025"}, [], 0.5, "null"],
    )
    def test_whatever_is_not_clearly_false_suspends(self, convert, value):
        result = convert("rce", yaml.safe_dump(rce({"ce_disabled": value, "scanner": {"server": "a"}})))
        assert result.checks["T2_A"]["spec"]["suspend"] is True

    @pytest.mark.parametrize("value", [False, 0, "no", "off", "False", " FALSE ", "0", 0.0, None])
    def test_what_is_clearly_false_does_not(self, convert, value):
        result = convert("rce", yaml.safe_dump(rce({"ce_disabled": value, "scanner": {"server": "a"}})))
        assert "suspend" not in result.checks["T2_A"]["spec"]

    @pytest.mark.parametrize("key", ["CE_disabled", "ce-disabled", "disabled", "CE_cfg.ce_disabled"])
    def test_other_spellings_suspend_as_well(self, convert, key):
        result = convert("rce", yaml.safe_dump(rce({key: True, "scanner": {"server": "a"}})))
        assert result.checks["T2_A"]["spec"]["suspend"] is True

    def test_what_is_said_of_all_holds_where_an_rse_says_nothing(self, convert):
        result = convert("rce", yaml.safe_dump(rce({"ce_disabled": None}, ce_disabled="yes")))
        assert result.checks["T2_A"]["spec"]["suspend"] is True

    def test_an_attribute_with_the_wrong_start_is_told_and_holds(self, convert, tmp_path):
        (tmp_path / "attributes.json").write_text(json.dumps({"T2_A": {"CE_cfg.ce_disabled": "on", "CE_cfg.sever": 1}}))
        result = convert("rce", yaml.safe_dump(rce()), "--attributes", tmp_path / "attributes.json")
        assert result.checks["T2_A"]["spec"]["suspend"] is True
        assert "here it holds" in result.note("CE_cfg.ce_disabled:")
        assert "left out" in result.note("CE_cfg.sever:")

    @pytest.mark.parametrize("value", [5, [5], {"a": "b"}, ["/store/mc/a", None]])
    def test_a_list_of_what_is_ignored_that_cannot_be_read_suspends(self, convert, value):
        result = convert("rce", yaml.safe_dump(rce(ignore_list=value)))
        assert result.checks["T2_A"]["spec"]["suspend"] is True
        assert "left out" in result.note("ignore_list:")
        assert "until you have said it" in result.note("suspend:")

    @pytest.mark.parametrize("value", [5, [["RAW"]], {"a": "b"}])
    def test_texts_to_ignore_that_cannot_be_read_suspend(self, convert, value):
        result = convert("dynamo-consistency", json.dumps(DYNAMO | {"IgnoreDirectories": value}))
        assert result.checks["T2_A"]["spec"]["suspend"] is True

    @pytest.mark.parametrize("limit", [-1, "-1", -0.5])
    def test_a_limit_below_zero_stays_as_small_as_it_can(self, convert, limit):
        spec = convert("dynamo-consistency", json.dumps(DYNAMO | {"MaxOrphan": limit})).checks["T2_A"]["spec"]
        assert spec["policy"]["orphans"]["maxCount"] == 0


class TestPrefixes:
    @pytest.mark.parametrize(
        ("scanner", "prefix", "root"),
        [
            ({"server_root": "/pnfs/a", "roots": ["/store/mc"]}, "/pnfs/a", "/store/mc"),
            ({"server_root": "/pnfs/a/", "roots": ["store/mc"]}, "/pnfs/a", "/store/mc"),
            ({"server_root": "/pnfs/a", "roots": ["/pnfs/a/store/mc/"]}, "/pnfs/a", "/store/mc"),
            ({"server_root": "/a/store", "add_prefix": "/store", "roots": ["mc"]}, "/a", "/store/mc"),
            ({"server_root": "/store", "add_prefix": "/store", "roots": ["/store/mc"]}, "", "/store/mc"),
            ({"roots": ["/x/store/mc"], "remove_prefix": "/x/"}, "/x", "/store/mc"),
            ({"roots": ["/x/store/mc"], "remove_prefix": "/x/store", "add_prefix": "/store/"}, "/x", "/store/mc"),
        ],
    )
    def test_they_are_what_rce_makes_of_its_three(self, convert, scanner, prefix, root):
        config = {"rses": {"T2_A": {"scanner": {"server": "a"} | scanner}}}
        listing = convert("rce", yaml.safe_dump(config)).checks["T2_A"]["spec"]["listing"]
        assert listing["source"]["xrootd"].get("prefix", "") == prefix
        assert listing["roots"] == [{"path": root}]

    @pytest.mark.parametrize("key", ["remove_prefix", "server_root"])
    def test_a_name_that_would_be_cut_in_its_middle_is_told(self, convert, key):
        scanner = {"server": "a", "roots": ["/dcache/disk2/store/mc"], key: "/dcache/disk"}
        result = convert("rce", yaml.safe_dump({"rses": {"T2_A": {"scanner": scanner}}}))
        assert result.checks == {}
        assert "in the middle of a name" in result.note("scanner.roots:")


class TestSchedules:
    @pytest.mark.parametrize(
        ("days", "line", "jitter"),
        [
            (1, "0 0 * * *", 1),
            (7, "0 0 * * 0", 7),
            ("7", "0 0 * * 0", 7),
            (5, "0 0 * * 0", 7),
            (14, "0 0 1,15 * *", 14),
            (31, "0 0 1 * *", 28),
            (60, "0 0 1 */3 *", 28),
            (10**6, "0 0 1 */12 *", 28),
            (0.2, "0 0 * * *", 1),
        ],
    )
    def test_the_days_between_runs_become_a_cron_line(self, convert, days, line, jitter):
        values = {"consistency": {"sites": {"T2_A": {"interval": days}}}}
        spec = convert("rce", yaml.safe_dump(values)).checks["T2_A"]["spec"]
        assert (spec["schedule"], spec["jitterSeconds"]) == (line, jitter * 86400)

    @pytest.mark.parametrize("days", [0, -1, "weekly", None])
    def test_without_days_runs_are_started_by_hand(self, convert, days):
        values = {"consistency": {"sites": {"T2_A": {"interval": days}}}}
        assert "schedule" not in convert("rce", yaml.safe_dump(values)).checks["T2_A"]["spec"]

    @pytest.mark.parametrize(
        "jobs",
        [
            "0 0 * * * root /DeterministicDelay -d 14d -f 1d /consistency/site.sh T2_A\n"
            "0 0 * * * root /DeterministicDelay -d 7d -f 1d /consistency/unmerged_site.sh T2_A\n",
            "jobs:\n  T2_A: {cmd: /consistency/site.sh T2_A, time: 'R R R R1-7,R15-21 * *'}\n",
        ],
    )
    def test_they_are_read_from_a_rendered_chart(self, convert, jobs):
        text = yaml.safe_dump_all([config_map("c", yaml.safe_dump(rce())), config_map("cron", jobs)])
        assert convert("rce", text).checks["T2_A"]["spec"]["schedule"] == "0 0 1,15 * *"


def test_a_chart_with_relative_roots_is_known_by_its_default_root(convert):
    values = {"consistency": {"defaultRoot": "/store/test/store", "filter": "x", "sites": {"T2_A": {"server": "a"}}}}
    result = convert("rce", yaml.safe_dump(values))
    assert result.checks["T2_A"]["spec"]["listing"]["source"]["xrootd"]["prefix"] == "/store/test"
    assert "never read" in result.note("consistency.filter:")


def test_later_values_overrule_earlier_ones(convert, tmp_path):
    more = tmp_path / "site.yaml"
    more.write_text(yaml.safe_dump({"consistency": {"sites": {"T2_A": {"server": "b", "odd": 1}}}}))
    result = convert("rce", yaml.safe_dump(VALUES), more)
    assert result.checks["T2_A"]["spec"]["listing"]["source"] == {"xrootd": {"servers": ["root://b"]}}
    assert result.checks["T2_A"]["spec"]["schedule"] == "0 0 * * 0"
    assert "unknown key" in result.note("odd:")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (rce() | {"rses": {"*": STAR}}, "names no RSE"),
        ({"rses": {}}, "names no RSE"),
        ({"kind": "ConfigMap", "data": {"a": "b: 1"}}, "no configuration of RCE"),
        ({"kind": "ConfigMap", "data": {"a": "rses: {{ x }}: y"}}, "is not valid YAML"),
        ({"consistency": {"sites": ["T2_A"]}}, "mapping of RSEs"),
        ({"consistency": {"ignore": []}}, "names no RSE"),
    ],
)
def test_what_names_no_rse_is_refused(convert, config, words):
    result = convert("rce", yaml.safe_dump(config))
    assert result.code == 2
    assert words in result.notes[0]


def test_an_rse_that_is_there_twice_is_refused_within_resources_as_well(convert):
    text = "rses:\n  T2_A: {ce_disabled: true}\n  T2_A: {scanner: {server: a}}\n"
    result = convert("rce", yaml.safe_dump(config_map("c", text)))
    assert result.code == 2
    assert "ConfigMap c, config.yaml:3: rses.T2_A: the key stands here twice" in result.notes[0]


def test_a_secret_is_decoded(convert):
    data = {"config.yaml": base64.b64encode(yaml.safe_dump(rce()).encode()).decode(), "other": "?"}
    assert set(convert("rce", yaml.safe_dump({"kind": "Secret", "data": data})).checks) == {"T2_A"}


def test_a_template_is_to_be_rendered(convert):
    result = convert("rce", "rses:\n  {{ range }}\n  T2_A: {}\n")
    assert result.code == 2
    assert "helm template" in result.notes[0]


def test_a_site_of_which_only_a_scratch_area_is_listed_makes_no_check(convert):
    result = convert("dynamo-consistency", json.dumps(DYNAMO | {"DirectoryList": ["unmerged"]}))
    assert result.checks == {}
    assert "no directory of DirectoryList is left" in result.note("no check:")


def test_the_checks_of_a_folder_are_valid_together_with_its_kustomization(convert, command, tmp_path):
    convert("rce", yaml.safe_dump(rce()), "--out", tmp_path / "checks")
    assert command("validate", "-f", *sorted((tmp_path / "checks").iterdir())).code == 0


def test_a_folder_has_what_kustomize_reads(convert, tmp_path):
    convert("rce", yaml.safe_dump(rce()), "--out", tmp_path / "checks")
    written = yaml.safe_load((tmp_path / "checks" / "kustomization.yaml").read_text())
    assert (written["kind"], written["resources"]) == ("Kustomization", ["t2-a.yaml"])


def test_an_rse_on_tape_only_reports(convert):
    result = convert("rce", yaml.safe_dump({"rses": {"T1_A_Tape": STAR, "T1_A_Disk": STAR}}))
    assert result.checks["T1_A_Tape"]["spec"]["tape"] is True
    assert "tape" not in result.checks["T1_A_Disk"]["spec"]
    assert "only reports" in result.note("tape:")
