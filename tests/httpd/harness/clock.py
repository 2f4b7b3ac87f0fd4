"""The clock of the modules of a server: the system's, and an offset that a test sets (tests/httpd/clock)."""
import mmap
import struct
import time


class Clock:
    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(8))
        path.chmod(0o644)
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 8)

    @property
    def offset(self):
        return struct.unpack("q", self.shared)[0] / 1e6

    def set(self, seconds):
        """Sets how far it is ahead of the system's clock."""
        self.shared[:] = struct.pack("q", round(seconds * 1e6))

    def advance(self, seconds):
        self.set(self.offset + seconds)

    def time(self):
        return time.time() + self.offset

    def reach(self, moment):
        """Advances it to a time, unless it is later already."""
        if moment > self.time():
            self.advance(moment - self.time())
