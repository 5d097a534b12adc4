"""Sentences for people that a stage leaves in the run directory: `notes/<source>.json`, gathered by the summary."""

from collections.abc import Iterable

from dynamo_consistency import secrets
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.run_directory import RunDirectory

FOLDER = "notes"


def note(run: RunDirectory, source: str, sentences: Iterable[str]) -> None:
    """What `source`, a part of a stage, has to say of the run; it replaces what that part has said before.

    `source`: a word that can be the name of a file.
    """
    said = [secrets.redact(sentence) for sentence in sentences]
    file = f"{FOLDER}/{source}.json"
    if said or run.exists(file):
        run.write_json(file, said)


def gathered(run: RunDirectory) -> list[str]:
    """All notes of the run, by their sources in byte order, each sentence once. Notes that are damaged are told as
    such."""
    sentences: dict[str, None] = {}
    for file in run.names(FOLDER):
        try:
            said = run.read_json(file)
        except ConsistencyError as error:
            said = [str(error)]
        sentences |= dict.fromkeys(str(sentence) for sentence in (said if isinstance(said, list) else [said]))
    return list(sentences)
