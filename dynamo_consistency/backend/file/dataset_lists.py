"""Lists of datasets: one a line."""

from dynamo_consistency import bare_names, paths
from dynamo_consistency.backend.file.options import DatasetNames
from dynamo_consistency.errors import BackendError, ListingError
from dynamo_consistency.listers.dump.other_formats import refuse_other_format
from dynamo_consistency.listers.dump.whole_file import whole_file

_NO_DATASET = {
    rb"[\"'`]": "has quotes; names are expected as they are",
    rb"\s": "has a blank, such as one before another column",
}
_NO_DATASET_OF_CMS = {**_NO_DATASET, rb"\A(?!(/[!-.0-~]+){3}\Z)": "is no dataset such as /Primary/Era-v1/TIER"}


def read_datasets(path: str, names: DatasetNames) -> set[str]:
    """The datasets of a file; lines that start with `#` are comments. A block at CMS means all of its dataset.

    Raises BackendError when it cannot be read, is empty or lacks its last line end: a list that was cut short protects
    too little. So does one of which a line is no plain name, or none of a dataset by the convention of `names`. A list
    of nothing says so in a comment.
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
    of_cms = names == "cms"
    found = {line.partition("#")[0] if of_cms else line for line in lines if line and not line.startswith("#")}
    for name in sorted(found):
        if problem := bare_names.problem(paths.to_bytes(name), _NO_DATASET_OF_CMS if of_cms else _NO_DATASET):
            raise BackendError(f"the line {name!r} of the list of datasets {path} {problem}")
    return found
