"""Sites for the tests of requests: what stands in the inventory, and what then stands in the tables of requests."""

from dynamo_simulator import DOOR

GENERATIONS = ("master", "innodb", "production", "ours")


class Registered:
    """T2_HERE has a block of three files of 7 bytes, `/store/f/1` to `3`, that the disk T2_OTHER has as well."""

    def __init__(self, world, mapped: bool = True) -> None:
        self.world = world
        self.group = world.group("DataOps")
        self.here, self.other = world.site("T2_HERE"), world.site("T2_OTHER")
        self.block = world.block(world.dataset("/A/E-v1/AOD"), "b")
        self.names = [b"/store/f/1", b"/store/f/2", b"/store/f/3"]
        self.numbers = {name: world.file(self.block, name, size=7) for name in self.names}
        world.replica(self.block, self.here, self.group)
        world.replica(self.block, self.other, self.group)
        if mapped:
            rule(world, self.here, "(/.*)", DOOR + "{0}")

    def ask_deletion(self, *files: bytes, **options) -> list[tuple[str, str]]:
        outcomes = self.world.backend(**options).registry.request_deletion("T2_HERE", list(files))
        assert [outcome.path for outcome in outcomes] == list(files)
        return [(outcome.outcome, outcome.message) for outcome in outcomes]

    def ask_transfer(self, *files: bytes, **options) -> list[tuple[str, str]]:
        outcomes = self.world.backend(**options).registry.request_transfer("T2_HERE", list(files))
        assert [outcome.path for outcome in outcomes] == list(files)
        return [(outcome.outcome, outcome.message) for outcome in outcomes]

    def subscriptions(self) -> list[tuple[int, int, int, str]]:
        query = "SELECT file_id, site_id, `delete`, status FROM file_subscriptions ORDER BY file_id, `delete`"
        return [tuple(row) for row in self.world.execute(query)]


def outcomes(answers: list[tuple[str, str]]) -> list[str]:
    return [outcome for outcome, _ in answers]


def urls(world) -> list[tuple[str, bytes]]:
    """The rows of unmanaged_deletions, byte by byte."""
    kind = "BINARY" if world.server else "BLOB"
    rows = world.execute(f"SELECT site, CAST(url AS {kind}) FROM unmanaged_deletions ORDER BY id")
    return [(site, bytes(url)) for site, url in rows]


def rule(world, site: int, lfn: str, pfn: str, *, chain: int = 0, index: int = 0, protocol: str = "gfal2") -> None:
    """A rule for PFNs, in the form that the database has."""
    columns = {"site_id": site, "chain_id": chain, "index": index, "lfn_pattern": lfn, "pfn_pattern": pfn}
    if world.server and world.execute("SHOW TABLES LIKE 'transfer_protocols'"):
        world.execute("INSERT IGNORE INTO transfer_protocols (protocol) VALUES (%s)", (protocol,))
        ((number,),) = world.execute("SELECT id FROM transfer_protocols WHERE protocol = %s", (protocol,))
        world.insert("filename_mappings", protocol_id=number, **columns)
    else:
        world.insert("filename_mappings", protocol=protocol, **columns)
