"""Which storage a URL means."""

from dynamo_consistency.run.store.local_storage import LocalStorage
from dynamo_consistency.run.store.remote_storage import RemoteStorage
from dynamo_consistency.run.store.storage import Storage, local_folder


def open_storage(url: str) -> Storage:
    """The storage at `url`. Raises ConfigurationError for a URL that nothing here can use."""
    folder = local_folder(url)
    return RemoteStorage(url) if folder is None else LocalStorage(folder)
