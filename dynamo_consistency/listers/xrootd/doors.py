"""The XRootD doors of a site."""

from dynamo_consistency.listers import doors
from dynamo_consistency.listers.xrootd.library import FileSystem
from dynamo_consistency.listers.xrootd.numbering import Numbering
from dynamo_consistency.listers.xrootd.tcp_connection import TcpConnection, connection_to
from dynamo_consistency.listers.xrootd.url import XRootDDoor


class XRootDServer(doors.TrackedServer):
    """One door, and the client's object for it. One that proves nothing whole, the library's, needs names in UTF-8."""

    def __init__(self, number: int, door: XRootDDoor, file_system: FileSystem) -> None:
        super().__init__(number, str(door))
        self.door = door
        self.use(file_system)
        self.numbering = Numbering(str(door))
        self._connection: TcpConnection | None = None

    def use(self, file_system: FileSystem) -> None:
        """Ask the door with this client from now on. Our own says of its answers that they are whole."""
        self.file_system = file_system
        self.proves_whole: bool = getattr(file_system, "answers_prove_themselves_whole", False)

    def connection(self) -> TcpConnection | None:
        """The open connection to this door; None where it is not known (see `tcp_connection`)."""
        connection = self._connection
        if connection is None or not connection.is_open():
            self._connection = connection = connection_to(self.door)
        return connection


class XRootDDoors(doors.Doors[XRootDServer]):
    """Rotation over XRootD doors."""

    protocol = "XRootD"
