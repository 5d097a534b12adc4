"""`schema`: what a check may hold, for editors."""

import click

from dynamo_consistency.check.json_schema import json_schema
from dynamo_consistency.cli.shared import print_json


@click.command()
def schema() -> None:
    """Print the JSON schema of a check, for editors.

    An editor with a YAML language server then completes and checks a check file whose first line names the file with
    the schema: # yaml-language-server: $schema=check.schema.json
    """
    print_json(json_schema())
