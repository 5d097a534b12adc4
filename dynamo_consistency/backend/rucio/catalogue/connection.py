"""The connection to Rucio's catalogue, which is only ever read."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, make_url

from dynamo_consistency.backend.rucio.catalogue.schema import CatalogueTables
from dynamo_consistency.backend.rucio.options import DRIVERS, Options
from dynamo_consistency.backend.sql import engines, errors
from dynamo_consistency.backend.sql.reading import reading

_INSTALL = {
    "postgresql": "install dynamo-consistency[postgresql]",
    "oracle": "install oracledb",
    "mysql": "install pymysql",
}


@dataclass(frozen=True)
class Catalogue:
    """Rucio's database and those of its tables that we read; `vo` is the one whose RSEs are ours."""

    engine: Engine
    tables: CatalogueTables
    vo: str = "def"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that can read and not write, in one transaction: one consistent view of the catalogue.

        Raises BackendError for all that goes wrong inside.
        """
        with reading(self.engine) as connection:
            yield connection

    @property
    def place(self) -> str:
        """Which database, for messages."""
        return errors.place(self.engine)


def connect(options: Options) -> Catalogue:
    """The catalogue of `options`; nothing is asked of its server yet.

    Raises ConfigurationError for a password file that cannot be read or a driver that is not installed.
    """
    url = make_url(options.database)
    url = engines.with_password(url.set(drivername=DRIVERS[url.drivername]), options.password_file)
    engine = engines.make_engine(url, install=_INSTALL.get(url.get_backend_name(), "correct the URL"))
    return Catalogue(engine, CatalogueTables(options.database_schema), options.vo)
