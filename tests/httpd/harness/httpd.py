"""httpd as a child process of the test run, in a temporary directory."""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

USER = "www-data"


class Unstartable(Exception):
    """httpd did not start; the text is what it logged."""


def free_port(first=20000, last=32000):
    """A free port, below those that the system gives to clients, which could take it before httpd does."""
    while True:
        port = random.randrange(first, last)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Httpd:
    patience = 20  # seconds for a start, a reload or a stop

    def __init__(self, prefix="interauth-httpd-"):
        self.root = Path(tempfile.mkdtemp(prefix=prefix))
        self.root.chmod(0o755)  # its workers are another user's
        self.logs = self.root / "logs"
        self.logs.mkdir()
        self.port = free_port()
        self.process = None

    def launch(self, command, **options):
        """Starts a process whose output goes to stderr.log, in a process group of its own: httpd signals its whole group."""
        with open(self.logs / "stderr.log", "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                            **options)

    def wait_until(self, ready, what):
        """Waits for something that the running httpd does."""
        deadline = time.monotonic() + self.patience
        while not ready():
            if self.process.poll() is not None:
                raise Unstartable(f"httpd ended at {what} (status {self.process.returncode}):\n{self.output()}")
            if time.monotonic() > deadline:
                raise Unstartable(f"no {what} within {self.patience} s:\n{self.output()}")
            time.sleep(0.005)

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except (ConnectionRefusedError, ConnectionResetError):  # reset: the listener went away meanwhile
            return False

    def stderr(self):
        return (self.logs / "stderr.log").read_text(errors="replace")

    def output(self):
        """What it wrote to standard error and to its error log."""
        files = (self.logs / "stderr.log", self.logs / "error.log")
        return "".join(path.read_text(errors="replace") for path in files if path.exists())

    def children(self):
        """The pids of httpd's children, workers and mod_cgid's daemon alike."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def stop(self):
        """Ends httpd; its directory stays for another start."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def remove(self):
        if not os.environ.get("INTERAUTH_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)
