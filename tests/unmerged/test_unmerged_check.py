"""What a check may say of its scratch area."""

import pytest

from dynamo_consistency.checkfile import read_checks
from dynamo_consistency.errors import ConfigurationError

CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: site}}
spec:
  site: T2_X
  listing: {{roots: [{{path: /store/mc}}, {{path: /store/user/group}}], exclude: [/store/mc/scratch]}}
  unmerged: {{path: {path}, protectedFrom: {{url: list.txt}}{more}}}
"""


@pytest.fixture
def read(tmp_path):
    def read(path="/store/unmerged", more=""):
        file = tmp_path / "site.yaml"
        file.write_text(CHECK.format(path=path, more=more and f", {more}"))
        (check,) = read_checks(file)
        return check.spec.unmerged

    return read


@pytest.mark.parametrize("path", ["/store/mc/unmerged", "/store/mc", "/store/user", "/store", "/"])
def test_an_area_in_a_root_or_around_one_is_refused(read, path):
    with pytest.raises(ConfigurationError, match=r"yaml:7: spec.unmerged: .* overlaps with a root"):
        read(path)


def test_an_area_in_a_root_is_accepted_where_the_root_excludes_it(read):
    assert read("/store/mc/scratch/unmerged").path == "/store/mc/scratch/unmerged"
    assert read("/store/mc2").path == "/store/mc2"


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("logs: {path: /store/unmerged/logs}", "must be relative, such as logs"),
        ("logs: {path: ../logs}", "must not have . or .."),
        ("logs: {path: ''}", "must not be empty"),
        ("logs: {additional: [/store/unmerged/more]}", "lies in /store/unmerged"),
        ("logs: {additional: [/store/logs, /store/logs]}", "cleaned by one rule only"),
        ("logs: {additional: [/store/mc/logs]}", "overlaps with a root"),
        ("exclude: ['']", "names no path component"),
        ("exclude: ['/*']", "names no path component"),
        ("mode: Enforce, confirmRuns: 1", "the first run never acts"),
        ("minAge: 5", "did you mean minAgeSeconds?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(read, more, complaint):
    with pytest.raises(ConfigurationError) as refused:
        read(more=more)
    assert complaint in str(refused.value)
    assert "spec.unmerged" in str(refused.value)


def test_by_default_an_area_is_only_reported(read):
    area = read()
    assert (area.mode, area.max_count, area.max_fraction, area.confirm_runs) == ("Report", 100000, None, 2)
