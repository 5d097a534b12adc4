"""`page`: what `serve` shows, as files."""

import click

from dynamo_consistency.cli.parameters import store_option
from dynamo_consistency.cli.shared import store_to_show
from dynamo_consistency.secrets import redact
from dynamo_consistency.text import word_for


@click.command()
@store_option
@click.option(
    "--out",
    "out_url",
    metavar="DIR",
    required=True,
    help="Folder, or fsspec URL of one, that the pages are written to.",
)
def page(store_url: str | None, out_url: str) -> None:
    """Write the pages of all sites and their runs as files, for a web server or bucket that is there already.

    They are those that `serve` shows, without the search for a file, and lead to each other by relative links. What is
    in the folder from before and has a page no longer stays there.
    """
    from dynamo_consistency.run.store.opening import open_storage
    from dynamo_consistency.web.pages.files import write_pages
    from dynamo_consistency.web.view import open_view

    with open_view(store_to_show(store_url)) as view:
        written = write_pages(view, open_storage(out_url))
    told = f"{_number(written.pages, 'page')} of {_number(written.checks, 'check')} at {_number(written.sites, 'site')}"
    lists = f", and {_number(written.lists, 'list')} to download" if written.lists else ""
    click.echo(f"Wrote {told}{lists}; the first is {redact(out_url.rstrip('/'))}/index.html.")


def _number(number: int, word: str) -> str:
    return f"{number:,} {word_for(number, word)}"
