"""Grafana's boards: what is committed is what the script writes, and each query says what the operator has measured."""

import json
import re
import subprocess
import sys

import pytest
import yaml
from consistency_operator.metrics.exposition import METRIC_PREFIX
from recorded_metrics import HOURS, series
from rendered_manifests import REPOSITORY
from required_programs import require_programs

FOLDER = REPOSITORY / "deploy/monitoring/dashboards"
EXPECTED = yaml.safe_load((REPOSITORY / "tests/deploy/dashboards.yaml").read_text())


@pytest.fixture(scope="module")
def boards() -> dict[str, dict]:
    return {file.stem: json.loads(file.read_text()) for file in FOLDER.glob("*.json")}


def queries(board: dict) -> dict[str, str]:
    """Title of the panel and letter of the query → the query."""
    found = {}
    for panel in board["panels"]:
        for target in panel["targets"]:
            letter = f" {target['refId']}" if len(panel["targets"]) > 1 else ""
            found[f"{panel['title']}{letter}"] = target["expr"]
    return found


def sample(text: str | int) -> dict[str, object]:
    """`T2_Quiet kind=missing is 3` as promtool wants it: site and further labels, where there are any; the value."""
    told, _, value = f" {text}".rpartition(" ")
    words = told.removesuffix(" is").split()
    labels = dict(word.split("=") for word in words if "=" in word)
    for site in (word for word in words if "=" not in word):
        labels |= {"site": site, "obj_namespace": "grid", "obj_name": site.lower().replace("_", "-")}
    written = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return {"labels": f"{{{written}}}", "value": float(value)}


def test_the_boards_are_those_that_the_script_writes(tmp_path):
    script = tmp_path / "make_dashboards.py"
    script.write_bytes((FOLDER / "make_dashboards.py").read_bytes())
    subprocess.run([sys.executable, script], check=True)
    for file in FOLDER.glob("*.json"):
        assert (tmp_path / file.name).read_text() == file.read_text(), "make dashboards"


@pytest.mark.slow
def test_each_query_of_each_board_says_what_was_measured(boards, tmp_path):
    require_programs("promtool", install="apt-get install prometheus")
    recorded, tests = series(), []
    for name, board in boards.items():
        for site, expected in EXPECTED[name].items():
            asked = queries(board)
            assert list(expected) == list(asked), name
            cases = [
                {
                    "expr": asked[title].replace("$site", site).replace("$check", ".*"),
                    "eval_time": f"{HOURS}h",
                    "exp_samples": [sample(text) for text in samples or []],
                }
                for title, samples in expected.items()
            ]
            tests.append(
                {"interval": "1h", "name": f"{name} {site}", "input_series": recorded, "promql_expr_test": cases}
            )
    (tmp_path / "tests.yaml").write_text(
        yaml.safe_dump({"rule_files": [], "evaluation_interval": "1h", "tests": tests})
    )
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_query_has_something_to_say_in_some_example():
    for board, examples in EXPECTED.items():
        for title in next(iter(examples.values())):
            assert any(example[title] for example in examples.values()), f"{board}: {title}"


def test_no_board_names_a_metric_that_was_not_measured(boards):
    measured = {one["series"].partition("{")[0] for one in series()}
    for board in boards.values():
        for query in queries(board).values():
            assert set(re.findall(rf"{METRIC_PREFIX}_\w+", query)) <= measured


def test_panels_lie_beside_each_other_and_each_says_what_it_shows(boards):
    for board in boards.values():
        cells = [
            (x, y)
            for panel in board["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) == 23
        for panel in board["panels"]:
            assert panel["description"]
            assert panel["datasource"]["uid"] == "${datasource}"


def test_the_boards_are_a_configmap_with_the_label_by_which_grafana_finds_them(render, boards):
    (found,) = [each for each in render("deploy/monitoring") if each["kind"] == "ConfigMap"]
    assert found["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert {name.removesuffix(".json"): json.loads(text) for name, text in found["data"].items()} == boards
    assert render("deploy/monitoring/dashboards") == [found]
