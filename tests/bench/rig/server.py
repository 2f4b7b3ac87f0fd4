"""An httpd whose resource usage is measured."""
import http.client
import os
import shutil
import time
from pathlib import Path

from harness.httpd import Httpd, USER
from harness.locate import httpd

from . import site, tokens


class Server(Httpd):
    """
    `single` runs it as one process (httpd -X) under `wrapper`, a command such as valgrind. `filled` specifies the number of
    participants and grants in its tables; the load generator gets `connections` of the grants.
    """

    patience = 120

    def __init__(self, variants, build, connections, single=False, wrapper=(), filled=site.Filled()):
        super().__init__("interauth-bench-")
        self.variants, self.single, self.connections = variants, single, connections
        try:
            site.install(self.root, variants, filled)
            conf = self.root / "httpd.conf"
            conf.write_text(site.configuration(self.root, self.port, variants, build, filled, connections))
            self.launch([*wrapper, httpd(), "-d", str(self.root), "-f", str(conf), "-X" if single else "-DFOREGROUND"],
                        cwd=self.root, **(self._as_worker() if wrapper else {}))
            self.wait_until(self.responds, "start")
            if any(variant.token == "grants" for variant in variants):
                time.sleep(2)  # SAuthClockSkew: access requests from before the start are refused
                made = tokens.grants(self.port, max(connections, filled.grants), filled.participants)
                (self.root / "grants").write_text("".join(f"{made[i * len(made) // connections]}\n" for i in range(connections)))
        except BaseException:
            self.close()
            raise

    def _as_worker(self):
        """Starts httpd without privileges, so that the wrapper can write its file at the end."""
        if os.getuid():
            return {}
        for path in [self.root, *self.root.rglob("*")]:
            shutil.chown(path, USER, USER)
        return {"user": USER, "group": USER, "extra_groups": []}

    def responds(self):
        """Waits for a response, because the kernel accepts connections before there is a worker."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return True
        except OSError:
            return False

    def close(self):
        self.stop()
        self.remove()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    # measurements

    def workers(self):
        """Returns the pids of the worker processes."""
        return [self.process.pid] if self.single else self.children()

    def _tasks(self):
        return [task for pid in self.workers() for task in Path(f"/proc/{pid}/task").iterdir()]

    def pin(self, cpus):
        for task in self._tasks():
            os.sched_setaffinity(int(task.name), cpus)

    def cpu(self):
        """Returns the CPU time of all threads of the workers, in seconds."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self._tasks()) / 1e9

    def memory(self):
        """Returns the average proportional set size of a worker, in KiB."""
        sizes = []
        for pid in self.workers():
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            sizes += [int(row.split()[1]) for row in rows if row.startswith("Pss:")]
        return sum(sizes) / len(sizes)
