"""The alerts, as Prometheus itself reads and evaluates them."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from consistency_operator.metrics.exposition import METRIC_PREFIX
from consistency_operator.metrics.gauges import GAUGES
from rendered_manifests import REPOSITORY
from required_programs import require_programs

RULES = REPOSITORY / "deploy/monitoring/rules.yaml"
TESTS = Path(__file__).parent / "alerts.yaml"
PAGE = REPOSITORY / "docs/reference/metrics.md"
RUNBOOK = REPOSITORY / "docs/how-to/operations.md"


@pytest.fixture(scope="module")
def groups() -> dict[str, object]:
    return yaml.safe_load(RULES.read_text())["spec"]


@pytest.fixture
def promtool(groups, tmp_path):
    """Runs promtool in a folder with the rules, as a file of Prometheus, and their tests."""
    require_programs("promtool", install="apt-get install prometheus")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(groups))
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(with_what_all_have(yaml.safe_load(TESTS.read_text()), groups)))

    def promtool(*arguments: str) -> str:
        done = subprocess.run(["promtool", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return promtool


def with_what_all_have(tests, groups):
    """The tests, where each alert that is expected has its severity and its runbook."""
    rules = {rule["alert"]: rule for group in groups["groups"] for rule in group["rules"]}
    for case in (case for test in tests["tests"] for case in test.get("alert_rule_test", [])):
        rule = rules[case["alertname"]]
        runbook = {"runbook_url": rule["annotations"]["runbook_url"]}
        case["exp_alerts"] = [
            {
                "exp_labels": alert["exp_labels"] | rule["labels"],
                "exp_annotations": alert["exp_annotations"] | runbook,
            }
            for alert in case["exp_alerts"]
        ]
    return tests


def alerts(groups) -> dict[str, str]:
    return {rule["alert"]: rule["expr"] for group in groups["groups"] for rule in group["rules"]}


def test_prometheus_reads_the_rules(promtool, groups):
    assert f"{len(alerts(groups))} rules found" in promtool("check", "rules", "rules.yaml")


def test_each_alert_fires_when_it_should_and_not_before(promtool):
    promtool("test", "rules", "tests.yaml")


def test_each_alert_has_a_test_in_which_it_fires(groups):
    cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test.get("alert_rule_test", [])]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == set(alerts(groups))


def test_each_alert_has_a_test_in_which_it_does_not_fire(groups):
    tests = yaml.safe_load(TESTS.read_text())["tests"]
    quiet = {series["series"].partition("{")[0] for series in tests[0]["input_series"]}
    silent = {case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if not case["exp_alerts"]}
    for alert, expression in alerts(groups).items():
        assert alert in silent or set(re.findall(rf"{METRIC_PREFIX}_\w+", expression)) <= quiet, alert


def test_the_rules_name_no_metric_that_is_not_there(groups):
    own = {"operator_failures_total", "operator_checks", "operator_problems"}
    named = set(re.findall(rf"{METRIC_PREFIX}_(\w+)", " ".join(alerts(groups).values())))
    assert named <= {gauge.name for gauge in GAUGES} | own


def test_the_page_names_every_alert_and_no_other_with_its_severity(groups):
    told = dict(re.findall(r"^\| \[`(SiteConsistency\w+)`\]\([^)]*\) \| (\w+) \|", PAGE.read_text(), re.M))
    severities = {rule["alert"]: rule["labels"]["severity"] for group in groups["groups"] for rule in group["rules"]}
    assert told == severities
    assert set(told.values()) == {"critical", "warning", "info"}


def test_each_alert_leads_to_its_own_part_of_the_runbook(groups):
    headings = re.findall(r"^### (SiteConsistency\w+)$", RUNBOOK.read_text(), re.M)
    assert headings == list(alerts(groups))
    for group in groups["groups"]:
        for rule in group["rules"]:
            page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
            assert page.endswith(f"/{RUNBOOK.relative_to(REPOSITORY)}")
            assert anchor == rule["alert"].lower()


def test_the_scrape_finds_the_operators_service(render):
    (monitor,) = [each for each in render("deploy/monitoring") if each["kind"] == "ServiceMonitor"]
    (service,) = [each for each in render("deploy") if each["kind"] == "Service"]
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert [end["port"] for end in monitor["spec"]["endpoints"]] == [port["name"] for port in service["spec"]["ports"]]
