"""What a check file is refused for: each with file, line and field, what is wrong and what would be right."""

import json
import re

import pytest
import yaml

from dynamo_consistency.backend.dynamo.options import Options as DynamoOptions
from dynamo_consistency.backend.file.options import Options as FileOptions
from dynamo_consistency.backend.rucio.options import Options as RucioOptions
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import read_checks
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import WORDS

CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {name: site}
spec:
  site: T2_X
  listing:
    roots: [{path: /store/mc}]
"""

# added below the check (line 8), field, words of the complaint
ADDED = [
    ("  comparison: {ignoreAge: 5}", "spec.comparison.ignoreAge", "did you mean ignoreAgeSeconds?"),
    ("  comparison: {ignoreAgeSecond: 5}", "spec.comparison.ignoreAgeSecond", "did you mean ignoreAgeSeconds?"),
    ("  comparison: {ignore_age_seconds: 5}", "spec.comparison.ignore_age_seconds", "did you mean ignoreAgeSeconds?"),
    ("  policy: {orphan: {mode: Report}}", "spec.policy.orphan", "did you mean orphans?"),
    ("  trigger: {xyz: now}", "spec.trigger.xyz", "known keys are manual"),
    ("  comparison: {ignoreAgeSeconds: 1d}", "spec.comparison.ignoreAgeSeconds", "whole number without a unit"),
    ("  comparison: {ignoreAgeSeconds: '86400'}", "spec.comparison.ignoreAgeSeconds", "whole number without a unit"),
    ("  comparison: {ignoreAgeSeconds: 1.5}", "spec.comparison.ignoreAgeSeconds", "a day is 86400"),
    ("  comparison: {ignoreAgeSeconds: -1}", "spec.comparison.ignoreAgeSeconds", "greater than or equal to 0"),
    ("  jitterSeconds: 99999999999999999999", "spec.jitterSeconds", "less than or equal to 2147483647"),
    ("  policy: {missing: {maxCount: true}}", "spec.policy.missing.maxCount", "whole number"),
    ("  policy: {missing: {maxCount: 0.0000001}}", "spec.policy.missing.maxCount", "whole number"),
    ("  policy: {missing: {maxFraction: 1.5}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: -1}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: .nan}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: yes}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: 5.0e-324}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: '1.5'}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: '-0.1'}}", "spec.policy.missing.maxFraction", 'between "0" and "1"'),
    ("  policy: {missing: {maxFraction: 1%}}", "spec.policy.missing.maxFraction", '"0.01" for one per cent'),
    ("  policy: {health: {minListedFraction: '2'}}", "spec.policy.health.minListedFraction", 'between "0" and "1"'),
    ("  policy: {missing: {mode: enforce}}", "spec.policy.missing.mode", "must be 'Ignore', 'Report' or 'Enforce'"),
    ("  policy: {missing: {mode: Enforce, confirmRuns: 1}}", "spec.policy.missing", "the first run never acts"),
    ("  policy:", "spec.policy", "must be a mapping"),
    ("  comparison: {ignore: ['']}", "spec.comparison.ignore.0", "names no path component"),
    ("  comparison: {ignore: [/RAW, /]}", "spec.comparison.ignore.1", "names no path component"),
    ("  comparison: {ignore: ['/*']}", "spec.comparison.ignore.0", "names no path component"),
    *(
        (f"  comparison: {{ignore: ['{pattern}']}}", "spec.comparison.ignore.0", "would match nothing that it is meant")
        for pattern in (
            *("/RAW?", "/RAW[12]", "/{RAW,LHE}", "/RAW,/LHE", "/RAW, /LHE", "^/RAW", "/RAW$", "/RAW|/LHE", r"/RAW\.d"),
            *("!/RAW", "/R%20W", "/RAW ", " /RAW", "/RAW/ /x", "/./RAW", "/a/../RAW"),
        )
    ),
    ("    exclude: ['/store/mc/HC ']", "spec.listing.exclude", "blanks around a name"),
    ("    exclude: ['/store/mc/{HC,XX}']", "spec.listing.exclude", "has a wildcard"),
    ("  comparison: {ignore: /RAW}", "spec.comparison.ignore", "must be a list"),
    ("    exclude: [HC]", "spec.listing.exclude.0", "must be an absolute path such as /store/mc"),
    ("    exclude: [/store/mc2/HC]", "spec.listing.exclude", "below none of the roots"),
    ("    exclude: [/store/mc]", "spec.listing.exclude", "below none of the roots"),
    ("    shards: 0", "spec.listing.shards", "greater than or equal to 1"),
    ("    source: {}", "spec.listing.source", "exactly one protocol"),
    ("    source: {posix: {prefix: /x}, dump: {url: y}}", "spec.listing.source", "exactly one protocol"),
    ("    source: {posix: }", "spec.listing.source", "exactly one protocol"),
    ("    source: {ftp: {}}", "spec.listing.source.ftp", "known keys are dump, gfal, posix, s3, webdav, xrootd"),
    ("    source: {xrootd: {servers: []}}", "spec.listing.source.xrootd.servers", "must not be empty"),
    ("    source: {xrootd: {servers: [https://a]}}", "spec.listing.source.xrootd.servers.0", "must be a host"),
    ("    source: {xrootd: {servers: [a:65536]}}", "spec.listing.source.xrootd.servers.0", "from 1 to 65535"),
    ("    source: {webdav: {servers: ['davs://a:0']}}", "spec.listing.source.webdav.servers.0", "from 1 to 65535"),
    ("    source: {xrootd: {servers: [root://a//b]}}", "spec.listing.source.xrootd.servers.0", "belongs into prefix"),
    ("    source: {webdav: {servers: [root://a]}}", "spec.listing.source.webdav.servers.0", "must be davs://"),
    ("    source: {posix: {prefix: mnt}}", "spec.listing.source.posix.prefix", "must be an absolute path"),
    ("  timeZone: UTC", "spec.timeZone", "only together with schedule"),
    ("  schedule: '0 0 30 2 *'", "spec.schedule", "never fires"),
    ("  schedule: weekly", "spec.schedule", 'five fields such as "0 3 * * 0"'),
    ("  schedule: 0 0 3 * * 0", "spec.schedule", "sixth field, for seconds"),
    ("  podTemplate: {nodeSelector: {a: b}}", "spec.podTemplate.nodeSelector", "known keys are metadata, spec"),
    ("  schedule: 0 3 * *", "spec.schedule", "five fields"),
    ("  suspend: 'no'", "spec.suspend", "must be true or false"),
    ("  store: {}", "spec.store", "exactly one of claimName, url"),
    ("  store: {claimName: a, url: b}", "spec.store", "exactly one of claimName, url"),
    ("  approve: {run: 29412180}", "spec.approve.run", "put it in quotes"),
    ("  trigger: {manual: 2026-11-22}", "spec.trigger.manual", "put it in quotes"),
    ("  site: T2_Y", "spec.site", "stands here twice"),
    ("  backend: ''", "spec.backend", "must not be empty"),
]

# (what is replaced, by what), line, field, words of the complaint
CHANGED = [
    (("/store/mc", "store/mc"), 7, "spec.listing.roots.0.path", "must be an absolute path such as /store/mc"),
    (("/store/mc", '""'), 7, "spec.listing.roots.0.path", "must be an absolute path"),
    (("/store/mc", "/store/../mc"), 7, "spec.listing.roots.0.path", "must not have . or .."),
    (("{path: /store/mc}", "/store/mc"), 7, "spec.listing.roots.0", "must be a mapping"),
    (("{path: /store/mc}", ""), 7, "spec.listing.roots", "must not be empty"),
    (("]", ", {path: /store/mc/x}]"), 7, "spec.listing.roots", "/store/mc/x lies inside the root /store/mc"),
    (("]", ", {path: /store//mc/}]"), 7, "spec.listing.roots", "stands twice"),
    (("  site: T2_X\n", ""), 4, "spec.site", "is missing"),
    (("T2_X", "../T2_X"), 5, "spec.site", "must be letters, digits, _, . and -,"),
    (("name: site", "name: Site_X"), 3, "metadata.name", "such as t2-de-rwth"),
    (("name: site", f"name: {41 * 'a'}"), 3, "metadata.name", "at most 40 characters"),
    (("SiteConsistencyCheck", "SiteCheck"), 2, "kind", "must be 'SiteConsistencyCheck'"),
    (("v1alpha1", "v1"), 1, "apiVersion", "must be 'consistency.dynamo.io/v1alpha1'"),
    (("spec:", "specs:"), 4, "specs", "did you mean spec?"),
]

NOT_YAML = [
    ("a: b: c", 1, "is not valid YAML"),
    ("a: 1\n\tb: 2", 2, "a tab stands where YAML takes blanks only"),
    ("a: {b: 1, <<: {c: 1, c: 2}}", 1, "c: the key stands here twice"),
    ("a: *nowhere", 1, "undefined alias"),
    ("a: &loop [*loop]", 1, "alias contains itself"),
    ("a: 1\nb: !!python/name:os.system x", 2, "is not valid YAML"),
    ("a: 1\nb: 2026-13-45", 2, "has no meaning"),
    ("a: 1\n[b, c]: 2", 2, "a key must be text"),
    ("", 1, "a SiteConsistencyCheck is expected"),
    ("just text", 1, "must be a mapping"),
]


@pytest.fixture
def complaint(tmp_path):
    def read(text: str) -> tuple[str, str]:
        """The file name and what is said of it."""
        file = tmp_path / "site.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError) as refused:
            read_checks(file)
        assert refused.value.exit_code == 2
        return str(file), str(refused.value)

    return read


def test_the_check_that_the_tables_start_from_is_accepted(tmp_path):
    (tmp_path / "site.yaml").write_text(CHECK)
    [check] = read_checks(tmp_path / "site.yaml")
    assert check.spec.site == "T2_X"


@pytest.mark.parametrize(("added", "field", "words"), ADDED)
def test_what_is_wrong_is_refused_with_line_field_and_hint(complaint, added, field, words):
    file, said = complaint(CHECK + added + "\n")
    assert said.startswith(f"{file}:8: {field}: ")
    assert words in said
    assert "\n" not in said


def test_a_time_zone_that_does_not_exist_is_refused(complaint):
    file, said = complaint(CHECK + "  schedule: 0 3 * * 0\n  timeZone: Europe/Zuerich\n")
    assert said.startswith(f"{file}:9: spec.timeZone: there is no time zone 'Europe/Zuerich'")


@pytest.mark.parametrize(("change", "line", "field", "words"), CHANGED)
def test_what_was_made_wrong_is_refused_where_it_stands(complaint, change, line, field, words):
    file, said = complaint(CHECK.replace(*change))
    [told] = [sentence for sentence in said.splitlines() if sentence.startswith(f"{file}:{line}: {field}: ")]
    assert words in told


@pytest.mark.parametrize(("text", "line", "words"), NOT_YAML)
def test_what_is_no_yaml_or_no_check_is_refused_with_its_line(complaint, text, line, words):
    file, said = complaint(text)
    assert said.startswith(f"{file}:{line}: ")
    assert words in said


def test_all_problems_of_all_documents_are_told_at_once(complaint):
    broken = CHECK + "  jitterSeconds: 2h\n  timeZone: Mars\n"
    _, said = complaint(f"{broken}---\n{CHECK}---\n{CHECK}  suspended: true\n")
    assert [line.split(": ")[1] for line in said.splitlines()] == [
        "spec.jitterSeconds",
        "spec.timeZone",
        "spec.suspended",
    ]
    assert [line.split(":")[1] for line in said.splitlines()] == ["8", "9", "26"]


def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_checks(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_checks(tmp_path / "latin.yaml")


def test_stdin_that_is_empty_is_called_stdin(monkeypatch):
    monkeypatch.setattr("dynamo_consistency.yamlfile._stdin", lambda: b"")
    with pytest.raises(ConfigurationError, match=r"^stdin:1: is empty; a SiteConsistencyCheck is expected$"):
        read_checks("-")


def test_nothing_between_two_documents_is_passed_over(tmp_path):
    (tmp_path / "site.yaml").write_text(f"---\n# rendered\n---\n{CHECK}---\n")
    assert len(read_checks(tmp_path / "site.yaml")) == 1


def test_a_list_as_kubectl_prints_it_is_read_check_by_check(tmp_path, complaint):
    items = [{"apiVersion": "v1", "kind": "Secret"}, {**yaml.safe_load(CHECK), "status": {"history": []}}]
    whole = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
    (tmp_path / "list.yaml").write_text(yaml.safe_dump(whole | {"items": items[1:] * 2}))
    assert [check.spec.site for check in read_checks(tmp_path / "list.yaml")] == ["T2_X", "T2_X"]
    file, said = complaint(yaml.safe_dump(whole, sort_keys=False))
    assert f"{file}:7: items.0.kind: must be 'SiteConsistencyCheck'" in said
    assert "items.1" not in said
    _, said = complaint(yaml.safe_dump(whole | {"items": []}))
    assert "is empty; a SiteConsistencyCheck is expected" in said


def test_what_an_anchor_brings_may_be_overridden(tmp_path):
    """As the API server has it: what stands in the mapping itself counts, before `<<` and behind it."""
    policy = """\
  policy:
    missing: &common {mode: Enforce, maxCount: 5}
    orphans: {<<: *common, maxCount: 6}
    mismatches: {maxCount: 7, <<: *common}
"""
    (tmp_path / "site.yaml").write_text(CHECK + policy)
    [check] = read_checks(tmp_path / "site.yaml")
    kinds = (check.spec.policy.missing, check.spec.policy.orphans, check.spec.policy.mismatches)
    assert [(kind.mode, kind.max_count) for kind in kinds] == [("Enforce", 5), ("Enforce", 6), ("Enforce", 7)]


def aliases(step: str) -> str:
    """Twelve lines, each of which stands for nine times as many values as the one before."""
    lines = ["a0: &a0 {k: 1, l: 2, m: 3}"]
    lines += [f"a{number}: &a{number} {step.format(', '.join([f'*a{number - 1}'] * 9))}" for number in range(1, 13)]
    return "\n".join(lines)


def test_a_few_lines_of_aliases_that_stand_for_billions_of_values_are_refused(complaint):
    _, said = complaint(aliases("[{}]"))
    assert "there are more than 200,000 values, aliases included" in said


def test_a_few_lines_that_merge_a_mapping_billions_of_times_are_read(complaint):
    _, said = complaint(aliases("{{<<: [{}]}}"))
    assert "apiVersion: is missing" in said


def test_a_file_without_an_end_is_refused(tmp_path):
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match="is larger than 4 MiB"):
        read_checks(tmp_path / "endless")


@pytest.mark.parametrize("model", [SiteConsistencyCheck, RucioOptions, FileOptions, DynamoOptions])
def test_no_refusal_is_a_regular_expression(model):
    """Every pattern of a field has words that say what to write; that of a fraction has a validator before it."""
    schema = json.dumps(model.model_json_schema())
    patterns = {json.loads(found) for found in re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', schema)}
    assert [each for each in patterns if not each.startswith("^(0") and not WORDS.get(each)] == []
