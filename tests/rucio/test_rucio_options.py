"""The entry in backends.yaml: what is wrong with it is told in one sentence."""

import pytest

from dynamo_consistency.backend.rucio import Options
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import read_documents


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{type: rucio}", "database: is missing"),
        ("{database: 'postgresql://me:s3cret@db'}", "database: names no database"),
        ("{database: 'mssql://me:s3cret@db/rucio'}", "'mssql' is no driver that is known here"),
        ("{database: 'me:s3cret@db'}", "database: is not the URL of a database"),
        ("{database: 'sqlite:////x', lfn2pfn: nonsense}", "lfn2pfn: must be auto, hash, identity, cms, or module:attr"),
        (
            "{database: 'sqlite:////x', rest: {url: 'https://u:s3cret@r', account: a, auth: x509, certificate: c}}",
            "URL",
        ),
        (
            "{database: 'sqlite:////x', rest: {url: 'https://r', account: a, auth: userpass}}",
            "needs username and passwor",
        ),
        ("{database: 'sqlite:////x', databaseschema: s}", "did you mean databaseSchema?"),
        ("{database: 'sqlite:////x', dumps: {X: {urls: []}}}", "dumps.X.urls: must not be empty"),
    ],
)
def test_a_wrong_entry_is_a_complaint_with_its_place_and_without_the_password(tmp_path, line, complaint):
    (tmp_path / "backends.yaml").write_text(line)
    [document] = read_documents(tmp_path / "backends.yaml")
    with pytest.raises(ConfigurationError, match=r"backends\.yaml:1") as caught:
        document.parse(Options)
    assert complaint in str(caught.value)
    assert "s3cret" not in str(caught.value)
