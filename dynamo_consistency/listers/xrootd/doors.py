"""The XRootD doors of a site."""

from dynamo_consistency.listers import doors
from dynamo_consistency.listers.xrootd.library import FileSystem
from dynamo_consistency.listers.xrootd.tcp_connection import Line, line_to
from dynamo_consistency.listers.xrootd.url import Door


class Server(doors.Server):
    """One door, as the library sees it."""

    def __init__(self, number: int, door: Door, file_system: FileSystem) -> None:
        super().__init__(number, str(door))
        self.door, self.file_system = door, file_system
        self._line: Line | None = None

    def line(self) -> Line | None:
        """The connection to this door as it is now, as far as that can be told."""
        line = self._line
        if line is None or not line.stands():
            self._line = line = line_to(self.door)
        return line


class Doors(doors.Doors[Server]):
    """Rotation over XRootD doors."""

    protocol = "XRootD"
