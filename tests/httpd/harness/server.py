"""An httpd with the modules under test: its site, starts and stops, logs, and requests to it."""
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

from . import apps, locate, site as sites, wire
from .clock import Clock
from .httpd import Httpd, USER, Unstartable, free_port
from .log import Log

GUARDED = 400  # a load test makes thousands, in a log of megabytes

COMMON = ("authn_core", "authz_core", "authz_host", "alias", "dir", "mime", "env", "setenvif", "headers", "unixd",
          "log_config")

MPM = {
    "event": "ServerLimit 3\nStartServers 2\nThreadsPerChild 16\nMaxRequestWorkers 48\nMinSpareThreads 16\n"
             "MaxSpareThreads 48\n",
    "worker": "ServerLimit 3\nStartServers 2\nThreadsPerChild 16\nMaxRequestWorkers 48\nMinSpareThreads 16\n"
              "MaxSpareThreads 48\n",
    "prefork": "ServerLimit 24\nStartServers 4\nMinSpareServers 4\nMaxRequestWorkers 24\n",
}


class Server(Httpd):
    def __init__(self, site):
        self.site = site
        self.modules = list(self._modules())  # first: it fails where one is not built
        super().__init__()
        self.fcgi_port = free_port() if site.php_fcgi else 0
        self.fcgi = None
        self.canaries = set()
        self.log = Log(self.logs / "error.log")
        self.clock = Clock(self.root / "clock")
        self.backend = Server(site.backend) if site.backend else None
        for name in ("conf", "htdocs", "cgi-bin", "run"):
            (self.root / name).mkdir()
        for line in site.expect:
            self.log.expect(line)
        self._install()

    # what it serves

    def fill(self, text):
        """Replaces the placeholders of configurations and files."""
        values = {"@ROOT@": str(self.root), "@PORT@": str(self.port), "@FCGI@": str(self.fcgi_port),
                  "@BACKEND@": str(self.backend.port) if self.backend else "", "@PHP@": apps.php_program()}
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    def _install(self):
        for name in ("show", "orders", "other"):
            apps.install(self.root / "cgi-bin" / name, self.fill(apps.CGI))
        for name in ("index.php", "orders.php"):
            apps.install(self.root / "htdocs" / "php" / name, self.fill(apps.PHP), 0o644)
        apps.install(self.root / "htdocs" / "files" / "plain.txt", "plain\n", 0o644)
        apps.install(self.root / "htdocs" / "index.html", "home\n", 0o644)
        for name, text in self.site.files.items():
            apps.install(self.root / "htdocs" / name, self.fill(text), 0o644)
        (self.root / "conf" / "mime.types").write_text("text/plain txt\ntext/html html shtml\n")
        (self.root / "journal").write_text("")
        (self.root / "journal").chmod(0o666)
        (self.root / "spool").mkdir()
        (self.root / "spool").chmod(0o777)
        if self.site.participants is not None:
            self.participants(self.site.participants)
        self.configure(self.site.config)

    def participants(self, records):
        """Replaces the participants file; a list of records, or text as it is."""
        sites.write_participants(self.participants_file, records)

    @property
    def participants_file(self):
        return self.root / "conf" / "participants.json"

    @property
    def conf(self):
        return self.root / "conf" / "httpd.conf"

    def journal(self):
        """Which apps ran, a line each."""
        return (self.root / "journal").read_text().splitlines()

    def configure(self, config):
        """Writes httpd.conf with this in the place of the site's own configuration."""
        self.conf.write_text(self.fill(self._base() + config + "\n"))

    def _modules(self):
        cgi = "cgi" if self.site.mpm == "prefork" else "cgid"
        names = list(COMMON) + [cgi] + list(self.site.modules)
        if self.site.php_fcgi:
            names += ["proxy", "proxy_fcgi"]
        if self.site.php_action:
            names += ["actions"]
        if self.site.backend:
            names += ["proxy", "proxy_http"]
        static = locate.static_modules()
        if f"mpm_{self.site.mpm}" not in static:
            yield f"mpm_{self.site.mpm}", locate.stock_dir() / f"mod_mpm_{self.site.mpm}.so"
        stock = [(name, locate.stock_dir() / f"mod_{name}.so") for name in dict.fromkeys(names) if name not in static]
        stock += self.site.foreign
        ours = [(name, locate.our_module(f"dialect/{name}" if self.site.probe and name == "sauth" else name))
                for name in self.site.ours]
        yield from ours + stock if self.site.ours_first else stock + ours

    def _base(self):
        site = self.site
        lines = [f"LoadModule {name}_module {path}" for name, path in self.modules]
        levels = " ".join(f"{name}:trace8" for name in site.ours)
        lines += [
            'ServerRoot "@ROOT@"', 'DefaultRuntimeDir "@ROOT@/run"', 'PidFile "@ROOT@/run/httpd.pid"',
            "Listen 127.0.0.1:@PORT@", "ServerName 127.0.0.1:@PORT@", f"LogLevel {site.log_level} {levels}",
            'ErrorLog "@ROOT@/logs/error.log"', r'LogFormat "%P %>s %u \"%r\" %{SAUTH_PARTICIPANT}e" tests',
            'CustomLog "@ROOT@/logs/access.log" tests', "Timeout 10", "GracefulShutdownTimeout 10",
            'TypesConfig "@ROOT@/conf/mime.types"', MPM[site.mpm]]
        if os.getuid() == 0:
            lines += [f"User {USER}", f"Group {USER}"]
        lines += [
            'DocumentRoot "@ROOT@/htdocs"', '<Directory "/">\n    Require all denied\n</Directory>',
            '<Directory "@ROOT@/htdocs">\n    Require all granted\n    AllowOverride All\n'
            "    Options +FollowSymLinks +Includes\n</Directory>",
            'ScriptAlias "/cgi-bin/" "@ROOT@/cgi-bin/"',
            '<Directory "@ROOT@/cgi-bin">\n    Require all granted\n</Directory>']
        if site.mpm != "prefork":
            lines += ['ScriptSock "@ROOT@/run/cgisock"']
        if site.php_fcgi:
            lines += ['ProxyFCGIBackendType GENERIC',
                      '<Directory "@ROOT@/htdocs/php">\n    <FilesMatch "\\.php$">\n'
                      '        SetHandler "proxy:fcgi://127.0.0.1:@FCGI@/"\n    </FilesMatch>\n</Directory>']
        if site.php_action:
            program = apps.php_program()
            lines += [f'ScriptAlias "/php-program" "{program}"',
                      f'<Directory "{os.path.dirname(program)}">\n    Require all denied\n'
                      f'    <Files "{os.path.basename(program)}">\n'
                      "        Require all granted\n    </Files>\n</Directory>",
                      "Action php-script /php-program",
                      '<Directory "@ROOT@/htdocs/php">\n    <FilesMatch "\\.php$">\n'
                      "        SetHandler php-script\n    </FilesMatch>\n</Directory>"]
        if "sauth" in site.ours and site.skew != 30:
            lines += [f"SAuthClockSkew {site.skew}"]
        if "registry" in site.ours and site.participants is not None:
            lines += ['RegistryFile "@ROOT@/conf/participants.json"']
        return "\n".join(lines) + "\n"

    # life

    def command(self, *arguments):
        return [locate.httpd(), "-d", str(self.root), "-f", str(self.conf), *arguments]

    @staticmethod
    def environ():
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C"}

    def environment(self):
        return {**self.environ(), "INTERAUTH_TEST_CLOCK": str(self.clock.path)}

    def check(self):
        """`httpd -t`: (whether the configuration is accepted, what httpd said)."""
        done = subprocess.run(self.command("-t"), capture_output=True, text=True, env=self.environment(), timeout=30)
        return done.returncode == 0, done.stdout + done.stderr

    def start(self):
        if self.backend and not self.backend.process:
            self.backend.start()
        if self.site.php_fcgi and not self.fcgi:
            user = USER if os.getuid() == 0 else None
            self.fcgi = apps.PhpFcgi(self.fcgi_port, self.logs / "php.log", user)
        before = self.resumed()
        self.spawn()
        try:
            self.wait_until(lambda: self.has_started(before), "start")
        except Unstartable:
            self.stop()
            raise
        self.listening_at = self.clock.time()
        return self

    def spawn(self):
        self.launch(self.command("-DFOREGROUND"), env=self.environment())

    def has_started(self, before):
        """Whether it has resumed operations more often than `before`, and accepts connections and CGI requests."""
        return self.resumed() > before and self.listens() and self.cgid_listens()

    def cgid_listens(self):
        """mod_cgid gives its socket to the workers' user some time after httpd resumes: before, they cannot connect."""
        if os.getuid() != 0 or not self.conf.is_file() or "\nScriptSock " not in self.conf.read_text():
            return True
        owner = pwd.getpwnam(USER).pw_uid
        try:
            return any(path.stat().st_uid == owner for path in (self.root / "run").glob("cgisock*"))
        except FileNotFoundError:
            return False

    def resumed(self):
        """How often it has started or reloaded."""
        return self.log.text().count("-- resuming normal operations")

    def _again(self, number, what):
        before, old = self.resumed(), self.children()
        self.process.send_signal(number)
        self.wait_until(lambda: self.has_started(before), what)
        self._retire(old)

    def _retire(self, children):
        """Waits until these accept no connection: httpd resumes before its old children have closed their listeners.
        A child of prefork keeps its listener while it serves, and accepts nothing then: this ends after 3 s."""
        inodes = {f"socket:[{line.split()[9]}]" for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
                  if line.split()[1].endswith(f":{self.port:04X}") and line.split()[3] == "0A"}
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and any(self._opened(pid) & inodes for pid in children):
            time.sleep(0.005)

    @staticmethod
    def _opened(pid):
        names = set()
        try:
            for link in Path(f"/proc/{pid}/fd").iterdir():
                names.add(os.readlink(link))
        except (FileNotFoundError, ProcessLookupError):
            pass
        return names

    def graceful(self):
        """Reload, as logrotate does it: old workers finish their requests."""
        self._again(signal.SIGUSR1, "graceful restart")

    def restart(self):
        """Hard restart: the parent stays, the workers do not."""
        self._again(signal.SIGHUP, "restart")

    def served_by(self):
        """The pids in the access log, latest last; it is written after the response, so this waits for a first line."""
        path = self.logs / "access.log"
        deadline = time.monotonic() + 5
        while not path.exists() or not path.read_text():
            assert time.monotonic() < deadline, "nothing was served"
            time.sleep(0.01)
        return [int(line.split()[0]) for line in path.read_text().splitlines()]

    def kill(self, pid):
        """kill -9 of one child; returns once the parent has noticed."""
        assert pid in self.children(), f"{pid} is not a child of this httpd"
        os.kill(pid, signal.SIGKILL)
        self.wait_until(lambda: pid not in self.children(), "reaping of a killed child")

    # secrets

    def guard(self, *secrets):
        """Secrets that must not be in a log of this server. The first GUARDED are searched for."""
        for secret in secrets:
            if len(secret) >= 12 and len(self.canaries) < GUARDED:
                self.canaries.add(secret if isinstance(secret, bytes) else secret.encode())

    def leaks(self):
        """(file, secret) of every guarded text that a log of this server holds."""
        files = [path for path in self.logs.iterdir() if path.is_file()]
        texts = {path.name: path.read_bytes() for path in files}
        return [(name, secret.decode("latin-1")) for name, text in texts.items() for secret in sorted(self.canaries)
                if secret in text]

    def close(self):
        """Ends everything and removes it; returns what was wrong: alarming lines left over, secrets in logs."""
        wrong = []
        try:
            if self.process is not None and self.process.poll() is not None:
                wrong.append(f"httpd had ended with status {self.process.returncode}")
            self.stop()
            wrong += self.log.settle()
            wrong += [f"{name} holds the secret {secret}" for name, secret in self.leaks()]
        finally:
            if self.fcgi:
                self.fcgi.stop()
            if self.backend:
                wrong += self.backend.close()
            self.remove()
        return wrong

    # speaking to it

    def request(self, method, target, headers=(), body=None, **options):
        return wire.request(self.port, method, target, headers, body, **options)

    def get(self, target, headers=(), **options):
        return self.request("GET", target, headers, **options)

    def post(self, target, body, headers=(), **options):
        return self.request("POST", target, headers, body, **options)

    def connect(self, timeout=15, source=None):
        return wire.Connection(self.port, timeout, source)

    def message(self, method, target, headers=(), body=None, **options):
        return wire.message(self.port, method, target, headers, body, **options)


def worker_ids():
    """uid and gid of httpd's workers."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    entry = pwd.getpwnam(USER)
    return entry.pw_uid, entry.pw_gid
