"""The keys of RCE's files that no check needs, each with the reason."""

from dynamo_consistency.convert.settings import Settings

_NOT_NEEDED = {
    "npartitions": "the comparison divides its work by itself",
    "scanner.nworkers": "the number of requests in flight follows the door; listing.concurrency is its upper bound",
    "scanner.recursion": "each directory is asked for by itself",
    "scanner.timeout": "it bounds a whole tree; listing.directoryTimeoutSeconds bounds one directory",
    "scanner.include_sizes": "sizes are always compared",
    "scanner.is_redirector": "a redirector is recognised as one, and its data servers are asked",
    "missing_action.max_age_last_run": "only the run that found a file acts on it, at once",
    "dark_action.max_age_last_run": "only the run that found a file acts on it, at once",
    "dark_action.confirmation_window": "the last runs count, however long ago they were",
}
_NEVER_READ = {
    "partitions": "RCE never read it; its key was npartitions, and nothing needs it here",
    "include_sizes": "RCE never read it here; sizes are always compared",
    **dict.fromkeys(
        ("dbdump.ignore", "dbdump.filter", "filter", "preprocess.filter", "preprocess", "scanner.filter"),
        "RCE never read it; name what takes no part in listing.exclude",
    ),
}
_OF_PATHS = ("rewrite", "lfn_to_path", "path_to_lfn")
"""Parts of keys for other rules from path to LFN, as older files have them."""


def explain(settings: Settings) -> None:
    """A note on each key that is left over."""
    for key in settings.left():
        if key in _NOT_NEEDED:
            settings.note(key, f"not needed: {_NOT_NEEDED[key]}")
        elif any(part in _OF_PATHS for part in key.split(".")):
            settings.note(key, "RCE never read it; where LFNs are otherwise at the site, say it in the source's rules")
        else:
            settings.note(key, _NEVER_READ.get(key, "unknown key: RCE did not read it either, and it is left out"))
