"""The entry of a Dynamo backend in `backends.yaml`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dynamo_consistency.backend.sql.url import database_url
from dynamo_consistency.check import Source
from dynamo_consistency.yamlfile import ClosedModel

DRIVERS = ("sqlite", "mysql", "mysql+pymysql", "mysql+mysqldb", "mariadb", "mariadb+pymysql", "mariadb+mysqldb")

SiteOptions = Source
"""What lists a site where the check itself does not say it: the same words as in `listing.source` of a check."""


def _database_url(text: str) -> str:
    return database_url(
        text, DRIVERS, "such as mysql+pymysql://dynamoread@db.example.org/dynamo or sqlite:////data/inventory.sqlite"
    )


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class Options(ClosedModel):
    """How Dynamo's databases are reached, and what lists the sites."""

    type: Literal["dynamo"] = "dynamo"
    url: DatabaseUrl = Field(description="The inventory: mysql+pymysql://user@host/dynamo, or sqlite:////path.")
    register_url: DatabaseUrl | None = Field(
        None, description="Requests and queues. Default: the inventory's name + `register` on the same server."
    )
    history_url: DatabaseUrl | None = Field(
        None, description="Finished operations. Default: the inventory's name + `history` on the same server."
    )
    requests: Literal["v1", "v2"] | None = Field(
        None,
        description="Which tables Dynamo's daemons read, where both are there: v1, the queues of 2018; v2, "
        "`unmanaged_deletions` and `file_subscriptions`.",
    )
    password_file: str | None = Field(None, min_length=1, description="File with the password in its first line.")
    sites: dict[str, SiteOptions] = Field({}, description="What lists each site, where a check does not say it.")
