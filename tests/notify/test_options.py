"""`notify:` in backends.yaml."""

import pytest

from dynamo_consistency.backend.backends_file import read, read_notify
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.notify.events import EVENTS

BACKENDS = "backends: {default: {type: module, module: m}}\n"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "backends.yaml"


def test_all_events_are_told_unless_some_are_named(file):
    file.write_text(BACKENDS + "notify: {urlsFile: /etc/urls}\n")
    assert read_notify(file).events == list(EVENTS)
    file.write_text(BACKENDS + "notify: {urlsFile: /etc/urls, events: [RunFailed]}\n")
    assert read_notify(file).events == ["RunFailed"]


def test_nobody_is_told_where_the_file_does_not_say_so(file):
    file.write_text(BACKENDS)
    assert read_notify(file) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{urlsFile: 'slack://token'}", ":2: notify.urlsFile: must be the path of a file"),
        ("{urlsFile: u, events: [runFailed]}", ":2: notify.events.0: must be 'RunFailed'"),
        ("{urlsFile: u, url: 'slack://token'}", ":2: notify.url: unknown key; did you mean urlsFile?"),
        ("'slack://token'", ":2: notify: must be a mapping"),
    ],
)
def test_a_wrong_option_is_an_error_with_its_line_and_without_the_secret(file, options, said):
    file.write_text(f"{BACKENDS}notify: {options}\n")
    for reader in (read, read_notify):
        with pytest.raises(ConfigurationError) as error:
            reader(file)
        assert said in str(error.value)
        assert "token" not in str(error.value)


def test_a_key_that_is_nearly_right_is_refused(file):
    file.write_text(f"{BACKENDS}notfy: {{urlsFile: u}}\n")
    with pytest.raises(ConfigurationError, match="did you mean notify"):
        read(file)
