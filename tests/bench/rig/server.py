"""A real httpd in a temporary directory, and what the kernel says about it."""
import http.client
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from harness.server import free_port

from . import site, tokens


class Server:
    """
    `single` runs it as one process (httpd -X) behind `wrapper`, a command such as valgrind. Its tables hold as many
    participants and grants as `filled` says; the load generator gets `connections` of the grants.
    """

    def __init__(self, variants, build, connections, single=False, wrapper=(), filled=site.Filled()):
        self.variants, self.single, self.connections = variants, single, connections
        self.root = Path(tempfile.mkdtemp(prefix="interauth-bench-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self.process = None
        try:
            site.install(self.root, variants, filled)
            conf = self.root / "httpd.conf"
            conf.write_text(site.configuration(self.root, self.port, variants, build, filled, connections))
            self._start([*wrapper, site.httpd(), "-d", str(self.root), "-f", str(conf), "-X" if single else "-DFOREGROUND"],
                        self._as_worker() if wrapper else {})
            if any(variant.token == "grants" for variant in variants):
                time.sleep(2)  # SAuthClockSkew: access requests of the time before its start do not count
                made = tokens.grants(self.port, max(connections, filled.grants), filled.participants)
                (self.root / "grants").write_text("".join(f"{made[i * len(made) // connections]}\n" for i in range(connections)))
        except BaseException:
            self.close()
            raise

    def _as_worker(self):
        """A wrapper must be able to write its file after httpd has given its rights up: it starts without them."""
        if os.getuid():
            return {}
        for path in [self.root, *self.root.rglob("*")]:
            shutil.chown(path, site.USER, site.USER)
        return {"user": site.USER, "group": site.USER, "extra_groups": []}

    def _start(self, command, options):
        with open(self.root / "stderr.log", "ab") as err:
            # A process group of its own: at its end httpd signals its whole group.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True,
                                            cwd=self.root, **options)
        deadline = time.monotonic() + 120
        while True:
            try:
                # A response, not only a connection: the kernel accepts those before there is a worker.
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", "/")
                connection.getresponse().read()
                connection.close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("httpd did not start:\n" + self.words()) from None
                time.sleep(0.02)

    def words(self):
        """What it said."""
        files = (self.root / "stderr.log", self.root / "error.log")
        return "".join(path.read_text(errors="replace") for path in files if path.exists())

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    # the kernel's view

    def workers(self):
        """The processes that serve."""
        pid = self.process.pid
        if self.single:
            return [pid]
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _tasks(self):
        return [task for pid in self.workers() for task in Path(f"/proc/{pid}/task").iterdir()]

    def pin(self, cpus):
        for task in self._tasks():
            os.sched_setaffinity(int(task.name), cpus)

    def cpu(self):
        """Seconds on a processor, of all threads of the workers together."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self._tasks()) / 1e9

    def memory(self):
        """Proportional set size of a worker, KiB."""
        sizes = []
        for pid in self.workers():
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            sizes += [int(row.split()[1]) for row in rows if row.startswith("Pss:")]
        return sum(sizes) / len(sizes)
