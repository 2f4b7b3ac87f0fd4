"""The commands and configurations of the guides, as they are printed."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness import BASIC, ENDPOINT, OTHER, OTHER_SECRET, PAGE, PEOPLE, Client, Shown, Site, passed
from harness.ends import ENDED_BADLY, is_running
from harness.locate import OURS, our_module
from harness.httpd import free_port
from harness.site import participant
from pages import TOP, block, blocks, pages, read

SOCKET = "proxy:unix:/run/php/php-fpm.sock|fcgi://localhost/"
PLACES = (("/var/www/orders", "@ROOT@/htdocs/php"), ("/etc/interauth", "@ROOT@/conf"), ("/run/httpd", "@ROOT@/run"),
          ("/var/spool/interauth", "@ROOT@/spool"), ("/var/lib/interauth/state", "@ROOT@/state"),
          (SOCKET, "proxy:fcgi://127.0.0.1:@FCGI@/"))
CONFIGURATIONS = [one for page in pages() for one in blocks(page, "apache")]


def settled(text):
    """A configuration of a page, with its paths in the server's tree."""
    for path, here in PLACES:
        text = text.replace(path, here)
    return text


def run(text, cwd, env=None, timeout=600):
    """Runs a block as if it were pasted; ends at the first command that fails."""
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", text], cwd=cwd, env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout, check=False)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def with_client(build, **more):
    return {"PATH": f"{build}:{os.environ['PATH']}", "HOME": "/nonexistent", **more}


@pytest.mark.parametrize("one", CONFIGURATIONS, ids=lambda one: f"{Path(one.page).stem}: {one.heading}")
def test_configuration(make_server, one):
    server = make_server(Site(modules=("authn_file", "auth_basic", "authz_user", "actions", "rewrite", "proxy", "proxy_http"),
                              php_fcgi=True,
                              config=settled(one.text)), start=False)
    (server.root / "state").mkdir(mode=0o700)
    accepted, said = server.check()
    assert accepted and "Warning" not in said, said


def test_fail2ban_jail(tmp_path):
    """The jail of the guide finds its filter and starts."""
    usr = Path(os.environ.get("INTERAUTH_FAIL2BAN", "/usr"))
    stock = usr.parent / "etc/fail2ban"
    if not (usr / "bin/fail2ban-client").exists():
        pytest.skip("fail2ban is not installed")
    config = shutil.copytree(stock, tmp_path / "fail2ban")
    shutil.copy(TOP / "conf/fail2ban/filter.d/interauth.conf", config / "filter.d")
    for other in (config / "jail.d").iterdir():
        other.unlink()  # jails of this machine
    log = tmp_path / "error.log"
    log.touch()
    jail = block("docs/guides/troubleshooting.md", "Where to look", "ini")
    (config / "jail.local").write_text(jail.replace("/var/log/apache2/error.log", str(log)))
    run(f"""python3 {usr}/bin/fail2ban-client -c {config} -d | grep "'addfailregex', .*reason=" """, tmp_path,
        env={**os.environ, "PYTHONPATH": str(usr / "lib/python3/dist-packages")})


def test_methods(make_server):
    server = make_server(Site(participants=PEOPLE, config=ENDPOINT + block("docs/guides/methods.md", "Capabilities by method",
                                                                           "apache")))
    server.log.allow(r"\[(sauth|authz_core):")
    for capability, statuses in ((None, (401, 401, 401)), ("read", (200, 403, 403)), ("update", (200, 200, 200))):
        for method, status in zip(("GET", "POST", "DELETE"), statuses):
            body = b"" if method == "POST" else None
            if capability:
                response = Client(server).granted(capability).send(method, "/cgi-bin/orders", body=body)
            else:
                response = server.request(method, "/cgi-bin/orders", body=body)
            assert response.status == status, (method, capability)


def test_request_id(make_server):
    """A refusal can be found by the id in its response, which clients cannot choose."""
    server = make_server(Site(participants=PEOPLE, modules=("unique_id",), config=BASIC +
                              block("docs/guides/troubleshooting.md", "Where to look", "apache")))
    ids = set()
    for value, reason in ((None, "credentials_missing"), ("SAuth a b c", "authorization_malformed")):
        server.log.allow("reason=" + reason)
        response = server.get(PAGE, {"X-Request-Id": "mine", **({"Authorization": value} if value else {})})
        ids.add(response.header("X-Request-Id"))
        assert response.status in (400, 401) and re.fullmatch("[A-Za-z0-9@_-]{20,40}", response.header("X-Request-Id"))
        assert f"id={response.header('X-Request-Id')} " in server.log.wait(f"sauth: refused reason={reason}")[-1]
    assert len(ids) == 2


class TestTroubleshooting:
    text = read("docs/guides/troubleshooting.md")

    def test_no_auth_type(self, make_server):
        server = make_server(Site(participants=PEOPLE, config=ENDPOINT + BASIC.replace("AuthType SAuth\n", "")))
        server.log.expect("AH00027")
        assert server.get(PAGE).status == 500
        line = server.log.wait("AH00027")[-1]
        assert "Authentication not configured?" in line and "`AH00027: .. Authentication not configured?`" in self.text

    def test_orphaned_workers_keep_the_port(self, make_server):
        server = make_server(Site(participants=PEOPLE, config=BASIC))
        server.log.allow(ENDED_BADLY)
        workers = server.children()
        server.process.kill()
        server.process.wait()
        second = subprocess.run([*server.command(), "-DFOREGROUND"], capture_output=True, text=True, timeout=60, check=False)
        line = "AH00072: make_sock: could not bind to address"
        assert second.returncode != 0 and line in second.stderr and f"`{line}`" in self.text
        for pid in workers:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while any(is_running(pid) for pid in workers) or server.listens():
            assert time.monotonic() < deadline, "a killed worker lives"
            time.sleep(0.05)
        server.process = None
        server.start()
        assert server.get(PAGE).status == 401


class TestMigrate:
    page = "docs/guides/migrate-from-basic.md"
    modules = ("authn_file", "auth_basic", "authz_user")

    def test_both(self, make_server):
        server = make_server(Site(participants=PEOPLE, modules=self.modules, config=ENDPOINT + settled(
            block(self.page, "Both side by side", "apache"))))
        server.log.allow(r"\[(sauth|auth_basic):")
        (server.root / "conf/basic.users").write_text("user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
        assert Shown(server.get("/cgi-bin/orders", {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="})).env[
            "REMOTE_USER"] == "user"
        assert server.get("/cgi-bin/orders", {"Authorization": "SAuth x"}).status == 401
        passed(Client(server).granted("read").get("/cgi-bin/orders"))

    def test_observe(self, make_server):
        """Unauthenticated clients from other addresses are refused; those from here have access, and are logged."""
        text = block(self.page, "Watch before you enforce", "apache")
        server = make_server(Site(participants=PEOPLE, config=ENDPOINT + text.replace("10.0.0.0/8", "192.0.2.0/24")))
        server.log.allow(r"\[(sauth|authz_core):")
        assert server.get("/cgi-bin/orders").status in (401, 403)
        server.configure(ENDPOINT + text.replace("10.0.0.0/8", "127.0.0.0/8"))
        server.graceful()
        assert server.get("/cgi-bin/orders").status == 200
        server.log.wait(r"sauth: would refuse reason=credentials_missing")
        server.configure(ENDPOINT + text.replace("10.0.0.0/8", "127.0.0.0/8").replace("    SAuthMode observe\n", ""))
        server.graceful()
        assert server.get("/cgi-bin/orders").status == 401


class TestPhp:
    page = "docs/guides/php.md"
    guard = staticmethod(lambda: settled(block("docs/guides/php.md", "Protect the script, not only the URL", "apache")))

    def app(self, server):
        text = block(self.page, "Protect a PHP application", "php") + "echo $client, ' may ', implode(',', $may), \"\\n\";\n"
        path = server.root / "htdocs/php/page.php"
        path.write_text(text)
        path.chmod(0o644)

    def check(self, server):
        server.log.allow(r"\[(sauth|authz_core):")
        self.app(server)
        client = Client(server).granted("read", "update")
        for target in ("/php/page.php", "/php/page.php/orders", "/php/page.php?page=orders"):
            assert server.get(target).status == 401, target
            assert passed(client.get(target)).body == b"http://www.example.org may read,update\n", target

    def test_fpm(self, make_server):
        handler = settled(block(self.page, "PHP-FPM behind mod_proxy_fcgi", "apache"))
        self.check(make_server(Site(participants=PEOPLE, php_fcgi=True, config=ENDPOINT + self.guard() + handler)))

    def test_action(self, make_server):
        action = settled(block(self.page, "PHP as CGI by Action", "apache"))
        self.check(make_server(Site(participants=PEOPLE, modules=("actions",),
                                    config=ENDPOINT + self.guard() + action)))


def test_participants(build, tmp_path):
    page = "docs/guides/participants.md"
    (tmp_path / "participants.json").write_text(block(page, "Participants", "json"))
    (tmp_path / "participants.json").chmod(0o600)
    run(block(page, "Create a secret", "sh"), tmp_path, with_client(build))
    assert (tmp_path / "shop.secret").stat().st_mode & 0o777 == 0o600
    run(block(page, "A password", "sh"), tmp_path, with_client(build))
    made = json.loads((tmp_path / "guest.record").read_text())
    assert made["id"] == "guest" and len(made["challenge_secret"]["hmac-sha256"]) == 64
    for name in ("guest.password", "guest.record"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    shown = json.loads(block(page, "A password", "json"))["participants"][0]
    shown["challenge_secret"] = made["challenge_secret"]
    assert shown == made
    said = run(block(page, "Check the file", "sh"), tmp_path, with_client(build))
    assert said.startswith("http://shop.example\tapproved\t")
    documented = set(re.findall(r"^\| `(\w+)` \|", (TOP / page).read_text(), re.MULTILINE))
    code = (TOP / "lib/participant.c").read_text()
    for member in documented:
        assert f'"{member}"' in code, member
    every = dict(participant(OTHER, ["read"], OTHER_SECRET), name="x", expires="2035-12-20T00:00:00Z")
    assert set(every) | {"shared_secrets", "challenge_secret", "keys", "endpoints"} == documented


class TestSignatures:
    """Both sides' commands, one after the other, with the key that they make."""

    page = "docs/guides/signatures.md"

    def test_commands(self, build, make_server, tmp_path):
        run(block(self.page, "Create a key", "sh"), tmp_path, with_client(build))
        assert (tmp_path / "k1.jwk").stat().st_mode & 0o777 == 0o600
        record = re.sub(r'"keys": \[.*\]', f'"keys": [{(tmp_path / "k1.pub").read_text().strip()}]',
                        block(self.page, "Create a key", "json"))
        (tmp_path / "participants.json").touch(mode=0o600)
        (tmp_path / "participants.json").write_text(record)
        server = make_server(Site(participants=record, config=ENDPOINT + block(self.page, "Signature instead of a grant",
                                                                               "apache")))
        started = time.time()
        server.log.allow(r"\[(sauth|isign|authz_core):")

        def paste(heading):
            return run(block(self.page, heading, "sh", 0).replace("8080", str(server.port)), tmp_path, with_client(build))

        said = paste("If a signature does not verify")
        assert "http://shop.example" in said and '"@method": GET' in said
        time.sleep(max(0, started + 32 - time.time()))  # signatures of the first 30 seconds are refused
        said = paste("Signature instead of a grant")
        assert said.count("SAUTH_PARTICIPANT=http://shop.example\n") == 2
        assert said.count("ISIGN_KEYID=http://shop.example#k1\n") == 2
        assert "ISIGN_DIGEST=sha-256\n" in said and said.endswith("quantity=1")
        assert server.get("/cgi-bin/orders").status == 401

    def test_beside_a_grant(self, build, make_server, tmp_path):
        """GET requires only the grant; a body requires a signature over its digest."""
        run(block(self.page, "Create a key", "sh"), tmp_path, with_client(build))
        record = {**participant("http://shop.example", ["read", "update"], OTHER_SECRET),
                  "keys": [json.loads((tmp_path / "k1.pub").read_text())]}
        server = make_server(Site(participants=[record], config=ENDPOINT + block(self.page, "Signature in addition to a grant",
                                                                                 "apache")))
        server.log.allow(r"\[(sauth|isign|authz_core):")
        (tmp_path / "secret").touch(mode=0o600)
        (tmp_path / "secret").write_text(record["shared_secret"])
        env = with_client(build, XDG_STATE_HOME=str(tmp_path))
        run(f"interauth grant --url http://127.0.0.1:{server.port}/sauth --uid http://shop.example --secret-file secret "
            "--capability read --capability update", tmp_path, env)
        url = f"http://127.0.0.1:{server.port}/cgi-bin/orders"
        assert "SAUTH_PARTICIPANT=http://shop.example\n" in run(f"interauth call {url}", tmp_path, env)
        for more in ("-d quantity=1", "-X DELETE", "-X DELETE --sign k1.jwk"):
            refused = run(f"interauth call {more} {url} 2>&1 || echo status $?", tmp_path, env)
            assert refused.endswith("status 1\n") and "HTTP 40" in refused, more
        text = block(self.page, "Signature in addition to a grant", "sh").replace("8080", str(server.port))
        assert "ISIGN_KEYID=http://shop.example#k1\n" in run(text, tmp_path, env)

    def test_printed_record(self, build, tmp_path):
        path = tmp_path / "participants.json"
        path.touch(mode=0o600)
        path.write_text(block(self.page, "Create a key", "json"))
        run("interauth participant list --file participants.json", tmp_path, with_client(build))


# What Debian's package enables when it is installed.
DEBIAN_MODULES = ("access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex deflate dir "
                  "env filter mime mpm_event negotiation reqtimeout setenvif status").split()
DEBIAN_CONFS = "charset localized-error-pages other-vhosts-access-log security serve-cgi-bin".split()
# Commands that would change this machine, as the pages call them.
STUBS = {
    "apt": """[ "$1" != install ] || echo "$*" >>"$ROOT/installed"\n""",
    "hostname": "echo localhost\n",
    "systemctl": """[ "$2" = apache2 ] || exit 1
case $1 in
restart) # a zombie has ended too: who inherits the process may never wait for it
    if [ -f "$ROOT/var/run/apache2/apache2.pid" ]; then
        pid=$(cat "$ROOT/var/run/apache2/apache2.pid")
        apache2ctl stop
        for _ in $(seq 200); do
            state=$(cut -d " " -f 3 "/proc/$pid/stat" 2>/dev/null || echo Z)
            [ "${state:-Z}" != Z ] || break
            sleep 0.1
        done
    fi
    for _ in $(seq 50); do # a process of before may hold the port for a moment longer
        ! APACHE_STARTED_BY_SYSTEMD=1 apache2ctl start >"$ROOT/started" 2>&1 || break
        sleep 0.2
    done
    cat "$ROOT/started" ;;
reload) apache2ctl graceful ;;
*) exit 1 ;;
esac
""",
}


@pytest.mark.skipif(not shutil.which("a2enmod"), reason="a2enmod is not installed (Debian's package apache2)")
class TestDebian:
    """The commands for Debian in their order, in the layout of its package, with every absolute path in a directory of the
    test."""

    page = "docs/guides/debian.md"

    @pytest.fixture
    def root(self):
        """A tree as `apt install apache2 ssl-cert` leaves it; nothing of the server runs afterwards."""
        root = Path(tempfile.mkdtemp(prefix="interauth-debian-"))  # pytest's own is closed to the server's workers
        root.chmod(0o755)
        self.port, self.tls_port = free_port(18000, 19000), free_port(19000, 20000)  # taken late: no other test's
        try:
            self.lay_out(root)
            yield root
        finally:
            pid_file = root / "var/run/apache2/apache2.pid"
            if pid_file.exists():
                os.kill(int(pid_file.read_text()), signal.SIGTERM)
                deadline = time.monotonic() + 20
                while pid_file.exists() and time.monotonic() < deadline:
                    time.sleep(0.05)
            shutil.rmtree(root)

    def lay_out(self, root):
        package = Path(shutil.which("a2enmod")).resolve().parents[2]
        etc = root / "etc/apache2"
        shutil.copytree(package / "etc/apache2", etc, ignore=shutil.ignore_patterns("*-enabled"))
        for name in ("conf-enabled", "mods-enabled", "sites-enabled"):
            (etc / name).mkdir()
        for name in ("bin", "usr/lib/cgi-bin", "usr/local", "var/lib/apache2", "var/lock", "var/log/apache2", "var/run",
                     "var/www/html", "etc/ssl/certs", "etc/ssl/private"):
            (root / name).mkdir(parents=True)
        for name, text in STUBS.items():
            (root / "bin" / name).write_text("#!/bin/sh -e\n" + text)
            (root / "bin" / name).chmod(0o755)
        dialog = etc / "mods-available/ssl.conf"
        dialog.write_text(dialog.read_text().replace("/usr/share/apache2", f"{package}/usr/share/apache2"))
        for path in ("apache2.conf", "envvars", "ports.conf", "sites-available/000-default.conf"):
            text = self.moved((etc / path).read_text(), root).replace("Listen ", "Listen 127.0.0.1:")
            (etc / path).write_text(text.replace(":80\n", f":{self.port}\n").replace(":443\n", f":{self.tls_port}\n"))
        if os.getuid() != 0:
            with open(etc / "envvars", "a") as file:
                file.write("export APACHE_RUN_USER=$(id -un) APACHE_RUN_GROUP=$(id -gn)\n")
        # Less to wait for after a start.
        (etc / "conf-enabled/test.conf").write_text(
            "<IfModule sauth_module>\nSAuthClockSkew 1\nISignClockSkew 1\n</IfModule>\n")
        self.paste(root, f"a2enmod -q {' '.join(DEBIAN_MODULES)}\na2enconf -q {' '.join(DEBIAN_CONFS)}\na2ensite -q 000-default\n"
                   "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
                   "-addext basicConstraints=critical,CA:FALSE "
                   "-keyout /etc/ssl/private/ssl-cert-snakeoil.key -out /etc/ssl/certs/ssl-cert-snakeoil.pem 2>&1")

    def moved(self, text, root):
        """Its paths in the tree, its ports those of the test."""
        text = re.sub(r"(?<![\w./}])/(etc|var|usr/local|usr/lib/cgi-bin)(?=/)", rf"{root}/\1", text)
        text = text.replace("VirtualHost *:80>", f"VirtualHost *:{self.port}>")
        text = text.replace("VirtualHost *:443>", f"VirtualHost *:{self.tls_port}>")
        return re.sub(r"(https://\$\(hostname -f\))(?=/)", rf"\1:{self.tls_port}", text)

    def paste(self, root, text, cwd=None):
        path = f"{root}/bin:{root}/usr/local/bin:{os.environ['PATH']}"
        return run("exec 2>&1\n" + self.moved(text, root), cwd or root,
                   {**os.environ, "PATH": path, "HOME": str(root), "ROOT": str(root), "APACHE_CONFDIR": f"{root}/etc/apache2",
                    "APACHE_STATE_DIRECTORY": f"{root}/var/lib/apache2",
                    "MAKEFLAGS": "-j2", "XDG_STATE_HOME": f"{root}/state"})

    def under(self, root, heading, number=0):
        return self.paste(root, block(self.page, heading, "sh", number))

    def test_from_nothing_to_an_response(self, root, source):
        headings = ["Install Apache", "Build and install", "Load the modules", "Create a participant", "Protect an application",
                    "Turn on TLS", "Send requests", "Send requests", "See refusals in the log", "Keep grants across restarts"]
        assert [one.heading for one in blocks(self.page, "sh")] == headings
        texts = [one.text for one in blocks(self.page, "text")]
        self.under(root, "Install Apache")
        self.paste(root, "systemctl restart apache2")  # as the package does
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=20) as response:
            assert response.status == 200
        modules = root / "modules"
        text = block(self.page, "Build and install", "sh").replace(
            "./configure\n", f"./configure --prefix='{root}/usr/local' --with-apache-libexecdir='{modules}'\n")
        self.paste(root, text, source)
        samples = root / "usr/local/share/doc/interauth/examples"
        assert (root / "usr/local/share/doc/interauth/docs/guides/debian.md").is_file()
        for sample in samples.glob("*.conf"):
            sample.write_text(self.moved(sample.read_text(), root))

        self.under(root, "Load the modules")
        self.under(root, "Create a participant")
        assert (root / "etc/interauth/participants.json").stat().st_mode & 0o777 == 0o600
        self.under(root, "Protect an application")
        said = self.under(root, "Turn on TLS")
        assert texts[0] in said and "[warn]" not in said and "AH00671" not in said
        assert self.under(root, "Send requests").replace("\r", "") == texts[1]
        with pytest.raises(urllib.error.HTTPError) as redirected:
            urllib.request.build_opener(NoRedirect).open(f"http://127.0.0.1:{self.port}/sauth", timeout=20)
        assert redirected.value.code == 301
        log = root / "var/log/apache2/error.log"
        assert "reason=" not in log.read_text()
        said = self.under(root, "Send requests", 1).replace("\r", "").splitlines()
        for line in texts[2].splitlines():
            assert line in said
        self.paste(root, "interauth secret /etc/wrong\n! interauth grant --cacert /etc/ssl/certs/ssl-cert-snakeoil.pem --url "
                   "https://$(hostname -f)/sauth --uid http://shop.example --secret-file /etc/wrong --capability read")
        assert "[sauth:warn]" in log.read_text() and re.findall("reason=(.*?) ", log.read_text()) == ["mac_mismatch"]
        assert self.under(root, "See refusals in the log").splitlines()[-1] + "\n" == texts[3]
        self.under(root, "Keep grants across restarts")
        # What was given before that restart is lost, what is given after it is kept.
        again = ("systemctl restart apache2\n"
                 "interauth call --cacert /etc/ssl/certs/ssl-cert-snakeoil.pem https://$(hostname -f)/cgi-bin/orders")
        for _ in range(2):
            assert "Hello http://shop.example" in self.paste(root, again)
        reasons = [reason for reason in re.findall("reason=(.*?) ", log.read_text()) if reason != "replay_cache_warming"]
        assert reasons == ["mac_mismatch", "credentials_missing", "token_unknown"]
        wrong = [line for line in log.read_text().splitlines()
                 if re.search(r":(warn|error|crit|alert|emerg)\]", line) and "[ssl:" not in line and "refused" not in line]
        assert wrong == []
        packages = (root / "installed").read_text().split()
        assert packages[:2] == ["install", "-y"] and {"apache2", "curl", "ssl-cert"} <= set(packages)
        assert (root / "var/lib/interauth").stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("page, heading, also, sample", [
        ("php", "PHP-FPM behind mod_proxy_fcgi", "Protect the script, not only the URL", "php-fpm"),
        ("php", "PHP as CGI by Action", "Protect the script, not only the URL", None),
        ("migrate-from-basic", "Migrate from Basic authentication", None, "migrate-basic"),
    ])
    def test_modules_are_named(self, root, page, heading, also, sample):
        """With the modules that a page enables, and no others, httpd takes its configuration."""
        etc, page = root / "etc/apache2", f"docs/guides/{page}.md"
        for path in (*(etc / "mods-enabled").iterdir(), *(etc / "conf-enabled").iterdir(), *(etc / "sites-enabled").iterdir()):
            path.unlink()
        for name in OURS:
            text = (TOP / f"conf/debian/{name}.load.in").read_text()
            (etc / f"mods-available/{name}.load").write_text(re.sub(r"@\w+@/\S+", str(our_module(name)), text))
        (root / "var/www/orders").mkdir()
        self.paste(root, "a2enmod mpm_event registry isign sauth\n" + block(page, heading, "sh"))
        enabled = {path.stem for path in (etc / "mods-enabled").glob("*.load")}
        texts = [one.text for one in blocks(page, "apache") if page.startswith("docs/guides/migrate") or
                 one.heading in (heading, also)]
        assert texts
        config = self.moved("".join(texts), root)
        (etc / "conf-enabled/page.conf").write_text(config)
        self.paste(root, "apache2ctl configtest")
        # What is looked up at a request only.
        if "|fcgi://" in config:
            assert "proxy_fcgi" in enabled
        if "ScriptAlias" in config or sample == "migrate-basic":
            assert "cgid" in enabled
        if sample:
            needed = re.search("^# Needs: (.*)$", (TOP / f"conf/{sample}.conf.in").read_text(), re.MULTILINE).group(1).split()
            assert set(needed) <= enabled
        # None is named in vain: each is of use to the configuration, to the sample, or at a request.
        named = set(re.search("^a2enmod (.*)$", block(page, heading, "sh"), re.MULTILINE).group(1).split())
        for name in named - {"proxy_fcgi", "cgid", *(needed if sample else ())}:
            self.paste(root, f"a2dismod -f -q {name}\n! apache2ctl configtest\na2enmod -q {name}")

    def test_install(self, build, tmp_path):
        """Without options, `make install` puts everything where the page says."""
        run(f"make -C '{build}' install DESTDIR='{tmp_path}' prefix=/usr/local", tmp_path, dict(os.environ))
        for name in (*[f"debian/{module}.load" for module in OURS], "minimal-cgi.conf", "php-fpm.conf"):
            assert (tmp_path / "usr/local/share/doc/interauth/examples" / name).is_file(), name
        libexecdir = re.search(r"LoadModule \w+ (/\S+)/mod_", (build / "conf/debian/sauth.load").read_text()).group(1)
        assert (tmp_path / libexecdir.lstrip("/") / "mod_sauth.so").is_file()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def test_hacking(build, source):
    """The commands of HACKING.md: its options are those of runtests, its single tests run."""
    text = block("HACKING.md", "Build", "sh").replace("make -j2\n", "").replace("make check\n", "")
    said = run(text, source)
    assert "config.status: creating Makefile" in said
    for line in block("HACKING.md", "One test", "sh").splitlines():
        run(line.replace("../tests/", f"{TOP}/tests/"), build, {**os.environ, "MAKEFLAGS": ""})
