"""What a stage has to tell people beside numbers: sentences, which the summary gathers as its `notes`."""

from collections.abc import Sequence

from dynamo_consistency.run.store.run_directory import RunDirectory

FOLDER = "notes"


def note(run: RunDirectory, source: str, sentences: Sequence[str]) -> None:
    """Write down what `source` has to tell of the run; what it told before is forgotten."""
    run.write_json(f"{FOLDER}/{source}.json", list(sentences))


def notes_of(run: RunDirectory) -> list[str]:
    """All sentences, by source."""
    return [sentence for name in run.names(FOLDER) for sentence in run.read_json(name)]
