"""A backend of type module: its sites are ready, unless a file beside the settings says otherwise."""

import os
import time
from pathlib import Path
from typing import Any


def _mood() -> str:
    file = Path(os.environ["CONSISTENCY_BACKENDS"]).with_name("mood")
    return file.read_text() if file.exists() else "ready"


def check_site(site: str) -> bool:
    match _mood():
        case "hanging":
            time.sleep(600)
        case "broken":
            raise ConnectionError("mysql://reader:hunter2@db refused the connection")
    return _mood() in ("ready", "unlisted")


def get_listers(site: str) -> tuple[Any, list[tuple[str, ...]]]:
    return list, [] if _mood() == "unlisted" else [(site,)]


class DatasetFilter:
    def __init__(self, datasets: set[str]) -> None: ...

    def protected(self, filename: str) -> bool:
        return True


def deletion_requests(site: str) -> set[str]:
    return set()


def filelist_to_blocklist(site: str, infile: str, outfile: str) -> None: ...


class inventory:  # noqa: N801 (as the contract names it)
    @staticmethod
    def protected_datasets(site: str) -> set[str]:
        return set()

    @staticmethod
    def list_files(site: str) -> list[Any]:
        return []


class registry:  # noqa: N801
    @staticmethod
    def delete(site: str, files: list[str]) -> int:
        raise AssertionError("a question must request nothing")

    @staticmethod
    def transfer(site: str, files: list[str]) -> Any:
        raise AssertionError("a question must request nothing")


class siteinfo:  # noqa: N801
    @staticmethod
    def site_list() -> list[str]:
        return ["T2_A"]

    @staticmethod
    def ready_sites() -> set[str]:
        return set()
