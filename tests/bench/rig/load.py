"""Runs the load generator as a child process."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

from . import tokens

HERE = Path(__file__).resolve().parent.parent


class Programs:
    """Compiles load and count in a temporary directory, with the library of a build."""

    def __init__(self, build):
        self.dir = tempfile.TemporaryDirectory(prefix="interauth-bench-")
        at = Path(self.dir.name)
        flags = lambda *names: subprocess.run(["pkg-config", *names], capture_output=True, text=True, check=True).stdout.split()
        compiler = os.environ.get("CC", "cc").split()
        self.load, self.count = at / "load", at / "count"
        self._compile([*compiler, "-std=gnu11", "-O2", f"-I{HERE.parent.parent / 'include'}", *flags("--cflags", "apr-1"),
                       HERE / "load.c", HERE / "schemes.c", build / ".libs" / "libia.a",
                       *flags("--libs", "apr-1", "apr-util-1", "libcrypto", "yajl"), "-o", self.load])
        self._compile([*compiler, "-std=gnu11", "-O2", HERE / "count.c", "-o", self.count])

    @staticmethod
    def _compile(command):
        subprocess.run([str(part) for part in command], check=True)

    def close(self):
        self.dir.cleanup()


class Load:
    """A load generator whose connections have each received a response with status 200."""

    def __init__(self, programs, server, variant, connections=1, cpus=None, seconds=0.0, requests=0, body=0, digest=False):
        command = [programs.load, "-p", server.port, "-u", variant.path, "-m", variant.scheme, "-c", connections]
        command += ["-n", requests] if requests else ["-s", seconds]
        if variant.scheme in ("basic", "digest"):
            command += ["-U", tokens.USER, "-P", tokens.PASSWORD]
        if variant.token:
            command += ["-t", server.root / variant.token]
        if variant.scheme == "sauth":
            command += ["-k", tokens.SECRET]
        if body:
            command += ["-b", body] + (["-d"] if digest else [])
        self.server = server
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        if cpus:
            os.sched_setaffinity(self.process.pid, cpus)
        self._line()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError("the load generator ended early; the server said:\n" + self.server.output())
        return line

    def run(self):
        """Returns its report, including the CPU time of the server."""
        before = self.server.cpu()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        report = json.loads(self._line())
        report["cpu"] = self.server.cpu() - before
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        return report
