"""The XRootD doors of a site."""

from dynamo_consistency.listers import doors
from dynamo_consistency.listers.xrootd.library import FileSystem
from dynamo_consistency.listers.xrootd.numbering import Numbering
from dynamo_consistency.listers.xrootd.tcp_connection import TcpConnection, connection_to
from dynamo_consistency.listers.xrootd.url import XRootDDoor


class XRootDServer(doors.TrackedServer):
    """One door, and the library's object for it."""

    def __init__(self, number: int, door: XRootDDoor, file_system: FileSystem) -> None:
        super().__init__(number, str(door))
        self.door, self.file_system = door, file_system
        self.numbering = Numbering(str(door))
        self._connection: TcpConnection | None = None

    def connection(self) -> TcpConnection | None:
        """The open connection to this door; None where it is not known (see `tcp_connection`)."""
        connection = self._connection
        if connection is None or not connection.is_open():
            self._connection = connection = connection_to(self.door)
        return connection


class XRootDDoors(doors.Doors[XRootDServer]):
    """Rotation over XRootD doors."""

    protocol = "XRootD"
