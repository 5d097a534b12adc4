"""What of the package must be installed for an address that a plain installation cannot open."""

_EXTRA_OF_SCHEME = {"s3": "s3", "s3a": "s3", "http": "http", "https": "http"}


def install_for(url: str) -> str:
    """What to do where the library for an fsspec URL is lacking."""
    scheme = url.partition("://")[0]
    extra = _EXTRA_OF_SCHEME.get(scheme)
    return f"pip install 'dynamo-consistency[{extra}]'" if extra else f"install fsspec's library for {scheme}://"
