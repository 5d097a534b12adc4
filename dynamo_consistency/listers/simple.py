"""The public form of an answer: what `list(directory)` of a backend's own listers returns."""

from dynamo_consistency.listers.contract import Answer, Failed, SimpleListing

NOT_LISTED: SimpleListing = (False, [], [])


def simple(answer: Answer) -> SimpleListing:
    """(ok, [(directory, mtime)], [(file, size, mtime)]).

    Not ok when any entry could not be looked at: there is no other way to say so here.
    """
    if isinstance(answer, Failed) or answer.holes:
        return NOT_LISTED
    return (
        True,
        [(entry.name, entry.mtime) for entry in answer.directories],
        [(file.name, file.size or 0, file.mtime or 0) for file in answer.files],
    )
