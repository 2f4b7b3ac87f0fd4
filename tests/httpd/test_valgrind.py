"""A live httpd under valgrind: no invalid access and no leak with our modules on its stack."""
import os
import re
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as xml

import pytest

from harness import (BASIC, Client, OTHER, OTHER_SECRET, PAGE, Server, Shown, Site, broken_headers, digest,
                     participant)
from harness.challenge import HMAC, MD5, ChallengeClient, person
from harness.locate import build_dir
from harness.server import worker_ids

OURS = re.compile(r"/mod_(registry|isign|sauth)\.so$")
USER = "http://user.example.org"
BODY = b'{"order": 17}'
CONFIG = 'SAuthStateFile "@ROOT@/state/grants"\nSAuthHash sha256 sha1\n' + BASIC + """
<Location "/cgi-bin/orders">
    ISign digest
</Location>
SAuthChallenge hmac-sha256 md5
ServerName https://127.0.0.1:@PORT@
SAuthChallengeDomain example.org
<Location "/cgi-bin/other">
    AuthType SAuth
    AuthName "other"
    SAuthAccept challenge
    ISign digest
    ISignMode observe
    <RequireAll>
        Require capability read
        Require call a.b
    </RequireAll>
</Location>
<Location "/server-status">
    SetHandler server-status
    Require all granted
</Location>
"""


class Watched(Server):
    """httpd -X (one process that serves) as valgrind runs it."""

    def command(self, *arguments):
        command = super().command(*arguments)
        if arguments != ("-DFOREGROUND",):
            return command
        return ["valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite", "--num-callers=40",
                "--keep-debuginfo=yes", "--child-silent-after-fork=yes", "--xml=yes", f"--xml-file={self.report}",
                *command[:-1], "-X"]

    @property
    def report(self):
        return self.logs / "valgrind.xml"

    patience = 120

    def spawn(self):
        """
        As the workers' user from the beginning: one process cannot save as root and serve as somebody else. That user
        may not be able to read the build directory, so our modules are loaded from the server's tree.
        """
        uid, gid = worker_ids()
        for path in (str(path) for name, path in self.modules if OURS.search(str(path))):
            self.conf.write_text(self.conf.read_text().replace(path, shutil.copy(path, self.root)))
        for path in (self.root, *self.root.rglob("*")):
            os.chown(path, uid, gid)
        self.launch(self.command("-DFOREGROUND"), env=self.environment(), user=uid, group=gid,
                    extra_groups=[] if os.getuid() == 0 else None)

    def has_started(self, before):
        return self.listens()

    def start(self):
        super().start()
        self.get("/index.html", timeout=self.patience)
        self.listening_at = self.clock.time()
        return self

    def end(self):
        """
        Ends httpd; returns the findings with our modules on their stack, and all kinds that were found. Memory that
        a process allocates at its start and keeps to its end is not a leak: threads may use it to the last.
        """
        deadline = time.monotonic() + 120
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "httpd does not end under valgrind"
            self.process.send_signal(signal.SIGTERM)  # prefork with -X misses one that comes just before it waits
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        self.process = None
        ours, kinds = [], []
        for error in xml.parse(self.report).getroot().iter("error"):
            frames = [(frame.findtext("fn") or "?", frame.findtext("obj") or "") for frame in error.iter("frame")]
            kinds.append(error.findtext("kind"))
            if kinds[-1].startswith("Leak") and any(name == "ap_run_child_init" for name, _ in frames):
                continue
            if any(OURS.search(file) for _, file in frames):
                what = error.findtext("what") or error.findtext("xwhat/text")
                ours.append(f"{kinds[-1]}: {what}: " + " < ".join(name for name, _ in frames[:12]))
        return ours, kinds


@pytest.fixture
def watched():
    if build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    if not shutil.which("valgrind"):
        pytest.skip("no valgrind")
    servers = []

    def make(**options):
        server = Watched(Site(config=CONFIG, modules=("status",), skew=60, **options))
        servers.append(server)
        (server.root / "state").mkdir(mode=0o700)
        return server.start()
    yield make
    wrong = [line for server in servers for line in server.close()]
    assert wrong == []


def course(server, rounds):
    """Grants, calls, bodies, refreshes, refusals of every stage."""
    for number in range(rounds):
        client = Client(server, hash=("sha256", "sha1")[number % 2], raw=number % 3 == 0)
        assert client.ask(nonces=4).status == 200
        value = client.header()
        for _ in range(2):
            client.take(server.get(PAGE, {"Authorization": value}))
        server.get(PAGE, {"Authorization": client.bare(client.nonces[-1])})
        shown = Shown(client.post("/cgi-bin/orders", BODY * 3000, {"Content-Digest": digest(BODY * 3000)}))
        assert shown.body == BODY * 3000
        assert client.post("/cgi-bin/orders", BODY, {"Content-Digest": digest(b"x")}).status == 400
        assert client.post("/cgi-bin/orders", BODY).status == 400
        form = client.form(client.body(access_for=None, token=client.token, nonces=2))
        for _ in range(2):
            assert client.submit("refresh_access", form).status == 200
        client.nonces = [client.generate() for _ in range(40)]
        for header in broken_headers(client).values():
            assert server.get(PAGE, {"Authorization": header}).status in (400, 401)
        assert server.get(PAGE, {"Authorization": client.header(token="T" * 22)}).status == 401
        assert client.get("/files/absent").status == 404
        assert client.ask(access_for=["nothing"]).status == 403
        assert client.submit("request_access", b"uid=%zz&x").status == 400
        assert Client(server, secret=b"not the secret!!").ask().status == 401
        assert Client(server, OTHER, OTHER_SECRET).ask(access_for=["update"]).status == 403
        assert "SAuthGrants" in server.get("/server-status?auto").text
        server.get("/server-status")


def calls(server):
    """The challenge protocol, at its endpoint and at a location."""
    for profile in (HMAC, MD5):
        for format in ("json", "xml"):
            user = ChallengeClient(server, USER, profile=profile, format=format).login()
            assert user.refresh().status == 200
            assert Shown(user.call("/cgi-bin/other", "a.b", {"x": "y" * 20000})).body == user.body
            assert user.call("/cgi-bin/other", "a.c").status == 403
            assert user.call("/cgi-bin/other", "a.b", signature="0" * 64).status == 401
            assert user.post("/cgi-bin/other", user.body[:-3], chunked=True).status == 400
            assert user.post("/cgi-bin/other", b"x" * 1100000).status == 413
            assert user.redeem(user.challenge(), signature="0" * 64)[1].status == 401
            assert ChallengeClient(server, "nobody", profile=profile, format=format).request().status == 200
            assert user.exchange("auth.forget", {}).status == 400


class TestMemcheck:
    people = [participant(), participant(OTHER, ["read"], OTHER_SECRET), person(USER, ["read"])]

    def test_course(self, watched):
        server = watched(participants=self.people)
        server.log.allow("reason=|AH|SAuthChallenge md5")
        course(server, 6)
        calls(server)
        ours, _ = server.end()
        assert ours == []
        kept = (server.root / "state" / "grants").read_bytes()
        assert len(kept) > 1000  # -X ends as a server does: it has saved
        server.report.unlink()
        server.start()  # and it reads what it saved
        server.log.wait("grants and .* from .* a clean stop")
        course(server, 1)
        ours, _ = server.end()
        assert ours == []

    def test_prefork(self, watched):
        server = watched(participants=self.people, mpm="prefork")
        server.log.allow("reason=|AH|SAuthChallenge md5")
        course(server, 1)
        assert server.end()[0] == []

    def test_finds_what_is_there(self, tmp_path):
        """A small program with errors, to show that the tests above can fail."""
        if not shutil.which("valgrind") or not shutil.which("gcc"):
            pytest.skip("no valgrind, or no gcc")
        (tmp_path / "wrong.c").write_text("#include <stdlib.h>\nint wrong(void)\n{\n    volatile char *p = malloc(8);\n"
                                          "    return p[8];\n}\n")
        (tmp_path / "main.c").write_text("int wrong(void);\nint main(void)\n{\n    return wrong() & 0;\n}\n")
        subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", "mod_sauth.so", "wrong.c"], cwd=tmp_path, check=True)
        subprocess.run(["gcc", "-o", "main", "main.c", "./mod_sauth.so", f"-Wl,-rpath,{tmp_path}"], cwd=tmp_path, check=True)
        server = Watched.__new__(Watched)
        server.logs = tmp_path
        server.process = subprocess.Popen(
            ["valgrind", "--leak-check=full", "--show-leak-kinds=definite", "--xml=yes", f"--xml-file={server.report}",
             "./main"], cwd=tmp_path, env=Server.environ())
        server.process.wait(60)
        ours, kinds = server.end()
        assert len(ours) == 2 and kinds == ["InvalidRead", "Leak_DefinitelyLost"]
