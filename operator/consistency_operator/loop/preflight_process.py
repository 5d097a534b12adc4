"""The process that asks a backend whether a site is ready: prints one line of JSON, `{"reason", "message"}`."""

import argparse
import json
from collections.abc import Sequence

from dynamo_consistency import backend
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.secrets import redact
from dynamo_consistency.suggestions import did_you_mean


def answer(backends: str, name: str, site: str, *, listers: bool) -> tuple[str, str]:
    """Why the run cannot begin, (reason, message); empty when it can."""
    try:
        backend.configure(backends, name)
        if not backend.check_site(site):
            return _unknown(name, site) or ("SiteNotReady", f"the backend {name} says that {site} is not ready")
        if listers and not backend.get_listers(site)[1]:
            return "SiteNotReady", f"the backend {name} knows nothing that lists {site}; set spec.listing.source"
    except ConfigurationError as error:
        return "Misconfigured", str(error)
    except ConsistencyError as error:
        return _unknown(name, site) or ("BackendUnreachable", str(error))
    except Exception as error:  # noqa: BLE001 (foreign code may fail in any way, and a person must read it)
        why = redact(f"the backend {name} failed: {type(error).__name__}: {error}")
        return _unknown(name, site) or ("BackendUnreachable", why)
    return "", ""


def _unknown(name: str, site: str) -> tuple[str, str] | None:
    """The answer for a site that the backend, which lists those it has, does not know; None where it says otherwise."""
    try:
        sites = backend.siteinfo.site_list()
    except Exception:  # noqa: BLE001 (the first failure is the one that is told)
        return None
    if not sites or site in sites:
        return None
    hint = did_you_mean(site, sites)
    return "Misconfigured", f"the backend {name} knows no site {site}{f'; {hint}' if hint else ''}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the backend that the arguments name, and print its answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", required=True)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--listers", action="store_true")
    given = parser.parse_args(arguments)
    reason, message = answer(given.backends, given.backend, given.site, listers=given.listers)
    print(json.dumps({"reason": reason, "message": message}), flush=True)


if __name__ == "__main__":
    main()
