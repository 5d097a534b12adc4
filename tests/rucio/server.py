"""A Rucio server, run by the Python of its own environment: `python server.py FOLDER DATABASE-URL`.

Makes the tables if they are not there, says on its standard output where it listens, and then does what it is told on
its standard input, a JSON list a line: [daemon, argument, …], answered by a line each. It ends when its input does.
"""

import json
import os
import sys
import threading
from pathlib import Path

ALEMBIC = """
[alembic]
script_location = {scripts}
sqlalchemy.url = {database}
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
level = WARN
handlers =
"""

CONFIGURATION = """
[common]
logdir = {folder}
loglevel = WARNING
[database]
default = {database}
[bootstrap]
userpass_identity = ddmlab
userpass_pwd = secret
[policy]
package = cmslike
support = nobody@example.org
support_rucio = nobody@example.org
lfn2pfn_algorithm_default = hash
[alembic]
cfg = {folder}/alembic.ini
[conveyor]
scheme = file
"""

# As the policy package of CMS, of which only the names matter here: an RSE chooses its paths by its attribute, and a
# name may have what the generic schema does not let it have.
POLICY = {
    "__init__.py": """
import re

SUPPORTED_VERSION = [">=34"]


def path_is_name(scope, name, rse, rse_attrs, proto_attrs):
    return re.sub("/+", "/", "/" + name)


def get_algorithms():
    return {"lfn2pfn": {"cmstfc": path_is_name}}
""",
    "schema.py": r"""
NAME = {"type": "string", "maxLength": 250, "pattern": r"^[^\x00-\x1f]+$"}
SCOPE_NAME_REGEXP = "/([^/]+)/(.*)"
""",
}


def configure(folder: Path, database: str) -> None:
    """Before the first import of rucio, which reads it."""
    import rucio  # its version only: nothing of it reads a configuration

    scripts = Path(rucio.__path__[0]) / "db/sqla/migrate_repo"
    escaped = database.replace("%", "%%")
    (folder / "alembic.ini").write_text(ALEMBIC.format(scripts=scripts, database=escaped))
    (folder / "rucio.cfg").write_text(CONFIGURATION.format(folder=folder, database=escaped))
    (folder / "cmslike").mkdir(exist_ok=True)
    for name, text in POLICY.items():
        (folder / "cmslike" / name).write_text(text)
    sys.path.insert(0, str(folder))
    os.environ["RUCIO_CONFIG"] = str(folder / "rucio.cfg")
    os.environ["RUCIO_HOME"] = os.environ["HOME"] = str(folder)


def make_tables(database: str) -> None:
    from rucio.db.sqla.util import build_database, create_base_vo, create_root_account
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(database)
    if database.startswith("sqlite"):
        with engine.connect() as connection:  # else a reader blocks every writer
            connection.execute(text("PRAGMA journal_mode = WAL"))
    if not inspect(engine).has_table("replicas"):
        build_database()
        create_base_vo()
        create_root_account()


def main(folder: Path, database: str) -> None:
    configure(folder, database)
    make_tables(database)
    from rucio.web.rest.flaskapi.v1.main import application
    from werkzeug.serving import make_server

    orders, answers = sys.stdin, sys.stdout
    sys.stdout = sys.stderr
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), file=answers, flush=True)
    for line in orders:
        import daemons

        name, *arguments = json.loads(line)
        print(json.dumps(daemons.run(name, *arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
