"""The entry of a Rucio backend in `backends.yaml`."""

import re
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from dynamo_consistency.backend.sql.url import database_url
from dynamo_consistency.check import Positive, SiteName, Source
from dynamo_consistency.yamlfile import ClosedModel, pattern

DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "oracle": "oracle+oracledb",
    "oracle+oracledb": "oracle+oracledb",
}
"""What people write, and the driver that is meant."""

Text = Annotated[str, Field(min_length=1)]


class VoScopes(NamedTuple):
    """The scopes of a VO: `s@vo` in the catalogue, `s` for its people, in paths and for the server.

    In the VO `def`, that of a Rucio with one VO, they are the same.
    """

    vo: str = "def"

    def inside(self, scope: str) -> str:
        """As the catalogue has it."""
        return scope if self.vo == "def" or scope.endswith(f"@{self.vo}") else f"{scope}@{self.vo}"

    def outside(self, scope: str) -> str:
        """As people, paths and the server have it; a scope of another VO stays as it is."""
        return scope if self.vo == "def" else scope.removesuffix(f"@{self.vo}")


def _database_url(text: str) -> str:
    return database_url(text, DRIVERS, "such as postgresql+psycopg://reader@db.example.org/rucio")


def _server_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", text):
        raise ValueError("must be the URL of a server without a password, such as https://rucio.example.org")
    return text.rstrip("/")


def _algorithm(text: str) -> str:
    if text not in ("auto", "hash", "identity", "cms") and not re.fullmatch(r"[\w.]+:[\w.]+", text):
        raise ValueError("must be auto, hash, identity, cms, or module:attribute of a plug-in")
    return text


ServerUrl = Annotated[str, AfterValidator(_server_url)]


class RestOptions(ClosedModel):
    """How Rucio's server is asked; without it the backend only reads, and takes no requests."""

    url: ServerUrl = Field(description="Rucio's server, such as https://rucio.example.org.")
    auth_url: ServerUrl | None = Field(None, description="Server that gives tokens. Default: url.")
    account: Text = Field(description="The Rucio account that requests are made with.")
    auth: Literal["userpass", "token", "x509"] = Field(description="How the account is proved.")
    username: Text | None = Field(None, description="The identity, where auth is userpass.")
    password_file: Text | None = Field(None, description="File with its password in the first line.")
    token_file: Text | None = Field(
        None,
        description="File with a token, where auth is token; read anew when it has expired. Default: as BEARER_TOKEN, "
        "BEARER_TOKEN_FILE or XDG_RUNTIME_DIR say.",
    )
    certificate: Text | None = Field(
        None,
        description="Certificate or proxy (PEM), where auth is x509. Default: as X509_USER_PROXY, or X509_USER_CERT "
        "and X509_USER_KEY, say.",
    )
    key: Text | None = Field(None, description="Its private key. Default: it is in certificate.")
    ca: Text | None = Field(None, description="File with the CAs that are trusted. Default: the system's.")
    timeout_seconds: Positive = Field(120, description="Within which the server must answer.")

    @model_validator(mode="after")
    def _has_what_auth_needs(self) -> Self:
        """Tokens and certificates are found by the variables of the grid as well."""
        needs = ("username", "password_file") if self.auth == "userpass" else ()
        lacking = [type(self).model_fields[name].alias or name for name in needs if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"auth {self.auth} needs {' and '.join(lacking)}")
        return self


class DumpOptions(ClosedModel):
    """A replica dump of one RSE: nine columns, as Rucio writes it."""

    urls: Annotated[list[Text], Field(min_length=1)] = Field(
        description="Paths or fsspec URLs of its parts; may be compressed (gz, bz2, zst)."
    )
    max_age_seconds: Positive = Field(86400, description="An older dump is refused.")


class Options(ClosedModel):
    """How Rucio's catalogue is read, and how its server is asked."""

    type: Literal["rucio"] = "rucio"
    database: Annotated[str, AfterValidator(_database_url)] = Field(
        description="The catalogue, read only: postgresql+psycopg://user@host/rucio, mysql+pymysql://user@host/rucio, "
        "oracle+oracledb://user@host/?service_name=…, or sqlite:////path."
    )
    database_schema: Text | None = Field(None, description="Schema of the tables, where it is not the account's own.")
    password_file: Text | None = Field(None, description="File with the database's password in the first line.")
    rest: RestOptions | None = Field(None, description="Rucio's server. Default: none, and no requests are taken.")
    vo: Annotated[str, Field(pattern=pattern("^[A-Za-z0-9]{3}$", "three letters or digits"))] = Field(
        "def",
        description="The VO, where a Rucio serves several: its RSEs, and its scopes, which are s@vo in the catalogue.",
    )
    scope: Text | None = Field(None, description="Scope of a file at the site whose path gives none.")
    lfn2pfn: Annotated[str, AfterValidator(_algorithm)] = Field(
        "auto",
        alias="lfn2pfn",
        description="How a path is made of scope and name: auto, hash, identity, cms, or module:attribute.",
    )
    ready_sites: Text = Field(
        "rse_type=DISK&availability_read=True", description="RSE expression of the sites that are ready to run on."
    )
    recall_from_tape: bool = Field(False, description="Also ask for files whose only other copy is on tape.")
    dataset_names: Literal["cms", "contents"] = Field(
        "contents", description="How the dataset of a file is found: by its CMS name, or by what contains its DID."
    )
    dumps: dict[SiteName, DumpOptions] = Field({}, description="Replica dumps, read instead of the table of replicas.")
    sites: dict[SiteName, Source] = Field({}, description="What lists an RSE, where its protocols shall not decide.")

    @property
    def scopes(self) -> VoScopes:
        """How scopes are written in the catalogue, and elsewhere."""
        return VoScopes(self.vo)
