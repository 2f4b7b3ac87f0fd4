"""Every sample of conf/ is loaded by httpd -t as it is installed, and does what it says in a running server."""
import re

import pytest

from harness import BASIC, OTHER, OTHER_SECRET, Client, Shown, Site, digest, participant, passed, refused
from harness.challenge import HMAC, MD5, ChallengeClient, secret_of
from harness.locate import OURS, our_module, static_modules, stock_dir
from pages import TOP

SAMPLES = sorted(path.name[:-len(".in")] for path in (TOP / "conf").glob("*.conf.in"))
LOADS = sorted(path.name[:-len(".in")] for path in (TOP / "conf/debian").glob("*.load.in"))
PEOPLE = [participant(), participant(OTHER, ["update"], OTHER_SECRET)]
BASIC_USERS = "user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"  # user, password
BASIC_HEADER = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}


def needs(text):
    """The stock modules that a sample names."""
    return tuple(re.search(r"^# Needs: (.*)$", text, re.MULTILINE).group(1).split())


def built(build, name):
    """A sample as `make` made it, and the directory of modules that it was made for."""
    text = (build / "conf" / name).read_text()
    assert "@" not in re.sub(r"[\w.]+@[\w.]+", "", text).replace("@ROOT@", "")
    directory = re.search(r"LoadModule \w+ +(/\S+)/mod_\w+\.so", text).group(1)
    return text, directory


def place(server, text, directory):
    """Adapts the paths of the sample to the server's directory."""
    modules = server.root / "modules"
    modules.mkdir(exist_ok=True)
    for name in OURS:
        link = modules / f"mod_{name}.so"
        if not link.exists():
            link.symlink_to(our_module(name))
    (server.root / "conf" / "basic.users").write_text(BASIC_USERS)
    (server.root / "htdocs" / "orders").mkdir(exist_ok=True)
    text = text.replace(directory, str(modules))
    for path, here in (("/etc/interauth", "@ROOT@/conf"), ("/usr/lib/cgi-bin", "@ROOT@/cgi-bin"),
                       ("/var/www/orders", "@ROOT@/htdocs/php"), ("http://127.0.0.1:8081/", "http://127.0.0.1:@BACKEND@/"),
                       ("proxy:unix:/run/php/php-fpm.sock|fcgi://localhost/", "proxy:fcgi://127.0.0.1:@FCGI@/")):
        text = text.replace(path, here)
    server.participants(PEOPLE)
    server.configure(text)


@pytest.fixture
def serve(build, make_server):
    """Starts a server that loads our modules through the sample itself."""
    def start(name, **options):
        text, directory = built(build, name)
        running = make_server(Site(ours=(), participants=PEOPLE, modules=needs(text), **options),
                              prepare=lambda server: place(server, text, directory))
        # The server has a /cgi-bin of its own, to which the sample's leads.
        running.log.allow(r"\[(sauth|isign|authz_core|auth_basic):\w+\]|AH00671: The ScriptAlias")
        return running

    return start


def test_there_are_samples():
    assert len(SAMPLES) >= 4 and [name.split(".")[0] for name in LOADS] == sorted(OURS)


@pytest.mark.parametrize("name", SAMPLES)
def test_loads(build, make_server, name):
    """httpd -t, with the stock modules that the sample names and no others."""
    text, directory = built(build, name)
    server = make_server(Site(ours=(), modules=needs(text)), start=False)
    place(server, text, directory)
    base = server.conf.read_text().split("DocumentRoot")[0]
    wanted = {"mpm_event", "unixd", "log_config", "mime"} | set(needs(text))
    kept = [line for line in base.splitlines()
            if not line.startswith("LoadModule") or line.split()[1][:-len("_module")] in wanted]
    # As on Debian: everything else is a module that a2enmod would have to load.
    server.conf.write_text("\n".join(line for line in kept if "cgid" in wanted or "ScriptSock" not in line) + "\n" +
                           server.fill(text.replace(directory, str(server.root / "modules"))
                                       .replace("/etc/interauth", "@ROOT@/conf")))
    accepted, said = server.check()
    assert accepted and "Syntax OK" in said and "already loaded" not in said, said


@pytest.mark.parametrize("name", SAMPLES)
def test_after_a2enmod(build, make_server, name):
    """The sample's own LoadModule lines are skipped if the modules are loaded already."""
    text, directory = built(build, name)
    server = make_server(Site(modules=needs(text)), start=False)
    place(server, text, directory)
    accepted, said = server.check()
    assert accepted and "already loaded" not in said, said


@pytest.mark.parametrize("name", LOADS)
def test_load_file(build, make_server, name):
    """What a2enmod reads: dependencies that exist, one LoadModule for the module of the file's name."""
    text, directory = built(build, f"debian/{name}")
    module = name[:-len(".load")]
    depends = re.fullmatch(rf"# Depends: (.+)\nLoadModule {module}_module {re.escape(directory)}/mod_{module}\.so\n", text)
    assert depends, text
    for other in depends.group(1).split():
        assert other in OURS or other in static_modules() or (stock_dir() / f"mod_{other}.so").exists(), other


@pytest.mark.parametrize("order", [("registry", "isign", "sauth"), ("sauth", "registry", "isign")])
def test_load_files_together(build, make_server, order):
    texts = [built(build, f"debian/{name}.load") for name in order]
    server = make_server(Site(ours=()), start=False)
    place(server, "".join(text for text, _ in texts) + "RegistryFile /etc/interauth/participants.json\n" + BASIC,
          texts[0][1])
    accepted, said = server.check()
    assert accepted, said


def test_minimal_cgi(serve):
    server = serve("minimal-cgi.conf")
    assert server.get("/cgi-bin/orders").status == 401
    assert Shown(passed(Client(server).granted("read").get("/cgi-bin/orders"))).env["SAUTH_CAPABILITIES"] == "read"
    assert Client(server, OTHER, OTHER_SECRET).granted("update").get("/cgi-bin/orders").status == 403
    assert server.request("TRACE", "/cgi-bin/orders").status == 405


def test_php_fpm(serve):
    server = serve("php-fpm.conf", php_fcgi=True)
    body = b"quantity=1"
    reader, writer = Client(server).granted("read"), Client(server).granted("update")
    for target in ("/orders/", "/orders/index.php", "/orders/index.php/page", "/orders/orders.php", "/php/index.php"):
        assert server.get(target).status == 401, target
        assert Shown(passed(reader.get(target))).env["SAUTH_CAPABILITIES"] == "read", target
    assert reader.post("/orders/index.php", body, {"Content-Digest": digest(body)}).status == 403
    shown = Shown(passed(writer.post("/orders/index.php", body, {"Content-Digest": digest(body)})))
    assert shown.body == body and shown.env["ISIGN_RESULT"] == "verified"
    assert writer.post("/orders/index.php", body, {"Content-Digest": digest(b"quantity=9")}).status == 400
    assert writer.post("/orders/index.php", body).status == 400


def test_proxy_headers(serve):
    backend = Site(ours=(), participants=None, config='ScriptAlias "/show" "@ROOT@/cgi-bin/show"\n')
    server = serve("proxy-headers.conf", backend=backend)
    assert server.get("/orders/show").status == 401
    shown = Shown(passed(Client(server).granted("read").get("/orders/show", {"SAuth-Participant": "somebody"})))
    assert shown.env["HTTP_SAUTH_PARTICIPANT"] == "http://www.example.org" and "HTTP_AUTHORIZATION" not in shown.env
    assert Client(server).granted("read").post("/orders/show", b"x").status == 400


def test_migrate_basic(serve):
    server = serve("migrate-basic.conf")
    anonymous = server.get("/cgi-bin/orders")
    assert anonymous.status == 401 and anonymous.header("WWW-Authenticate") == 'Basic realm="orders"'
    assert Shown(server.get("/cgi-bin/orders", BASIC_HEADER)).env["REMOTE_USER"] == "user"
    assert Shown(passed(Client(server).granted("read").get("/cgi-bin/orders"))).env["REMOTE_USER"] == PEOPLE[0]["id"]
    for scheme in ("SAuth", "sauth", "SAUTH"):
        assert server.get("/cgi-bin/orders", {"Authorization": f"{scheme} x"}).status == 401


def test_challenge(serve):
    server = serve("challenge.conf")
    person = participant(challenge_secret={HMAC: secret_of(HMAC, domain="api.example.org")}, secret=None)
    server.participants([person])
    server.graceful()
    user = ChallengeClient(server, domain="api.example.org").login()
    assert server.get("/cgi-bin/orders").header("WWW-Authenticate") == 'Challenge realm="orders"'
    assert Shown(user.call("/cgi-bin/orders", "orders.list")).env["SAUTH_CALL"] == "orders.list"
    assert user.call("/cgi-bin/orders", "orders.delete").status == 403
    assert ChallengeClient(server, profile=MD5).request().error["code"] == "profile_not_enabled"


def test_refusals_are_logged_as_the_guide_says(make_server):
    """The sample line of docs/guides/troubleshooting.md has the form of a real one."""
    server = make_server(Site(config=BASIC, participants=PEOPLE))
    line = refused(server, Client(server).ask(timestamp=1300000000), 401, "stale_timestamp", "timestamp_stale")
    shape = re.compile(r'\[sauth:\w+\] .*sauth: refused reason=\w+ participant=[^ "]+ location=[^ "]+')
    assert shape.search(line), line
    assert shape.search((TOP / "docs/guides/troubleshooting.md").read_text())
