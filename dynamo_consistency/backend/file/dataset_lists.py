"""Lists of datasets: one a line."""

from dynamo_consistency.errors import BackendError, ListingError
from dynamo_consistency.listers.dump.other_formats import refuse_other_format
from dynamo_consistency.listers.dump.whole_file import whole_file


def read_datasets(path: str) -> set[str]:
    """The datasets of a file; lines that start with `#` are comments.

    Raises BackendError when it cannot be read, is empty or lacks its last line end: a list that was cut short protects
    too little. A list of nothing says so in a comment.
    """
    try:
        with whole_file(path, f"the list of datasets {path}") as file:
            raw = file.read()
        refuse_other_format(raw[:4096], f"(a list of datasets) {path}")
        text = raw.decode("utf-8-sig")
    except ListingError as error:
        raise BackendError(str(error)) from None
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
