"""Files that list datasets, one a line."""

from pathlib import Path

from dynamo_consistency.errors import BackendError


def read_datasets(path: str) -> set[str]:
    """The datasets of a file; lines that start with `#` are comments.

    Raises BackendError when it cannot be read, is empty or lacks its last line end: a list that was cut short protects
    too little. A list of nothing says so in a comment.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BackendError(f"the list of datasets {path} cannot be read: {reason}") from None
    if not text.endswith("\n"):
        raise BackendError(
            f"the list of datasets {path} is empty or was cut short: its last line must end; if there are none, "
            "write the line `# none`"
        )
    lines = (line.strip() for line in text.split("\n"))
    return {line for line in lines if line and not line.startswith("#")}
