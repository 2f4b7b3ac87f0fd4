"""The container of docs/guides/deployment.md: its manifest, script and configuration, in namespaces of their own."""
import copy
import re
import time

import pytest

import container
from container import Container
from harness import ENDPOINT, UID, Client, Unstartable, digest, participant, passed
from harness.ends import end_uncleanly
from harness.site import Site
from pages import block

yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")
PAGE = "docs/guides/deployment.md"
ORDERS = "/cgi-bin/orders"
NEW_SECRET = b"the secret that comes after it"
OWN = """
ServerRoot "/srv"
TypesConfig "/dev/null"
ServerName 127.0.0.1
LogLevel info
<Directory "/">
    Require all denied
</Directory>
<Directory "/srv/cgi-bin">
    Require all granted
</Directory>
ScriptAlias "/cgi-bin/" "/srv/cgi-bin/"
""" + ENDPOINT + """
<Location "/cgi-bin/orders">
    AuthType SAuth
    AuthName "orders"
    Require capability read
    ISign digest
</Location>
""" + block(PAGE, "Load balancers", "apache")
APP = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n%s %s' "$SAUTH_PARTICIPANT" "$(cksum)"
"""


def manifest():
    return copy.deepcopy(yaml.safe_load(block(PAGE, "Containers", "yaml"))["spec"])


@pytest.fixture
def make_container(build):
    why = container.unavailable()
    if why:
        pytest.skip(why)
    made = []

    def make(pod=None, start=True, without=None, more="", modules=()):
        config = block(PAGE, "Containers", "apache") + more
        if without:
            assert without in config
            config = "".join(line for line in config.splitlines(keepends=True) if without not in line)
        script = block(PAGE, "Containers", "sh")
        assert "sleep 10;" in script and "\nListen 8080\n" in "\n" + config
        made.append(Container(Site(modules=modules), pod or manifest(), OWN + config,
                              script.replace("sleep 10;", "sleep 0.05;")))
        new = made[-1]
        path = new.image / "etc/httpd.conf"
        path.write_text(path.read_text().replace("Listen 8080\n", f"Listen 127.0.0.1:{new.port}\n"))
        app = new.image / "srv/cgi-bin/orders"
        app.write_text(APP)
        app.chmod(0o755)
        health = new.image / "var/www/health.txt"
        health.parent.mkdir()
        health.write_text("ok\n")
        return new.start() if start else new

    yield make
    wrong = [line for one in made for line in one.close()]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_serves_as_nobody_special(make_container):
    server = make_container()
    for pid in server.children() + [server.process.pid]:
        status = open(f"/proc/{pid}/status", encoding="ascii").read()
        assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE) and "NoNewPrivs:\t1" in status
    said = server.run("for d in / /etc /etc/interauth /tmp /var/tmp /srv /usr /run; do touch $d/x && echo $d; done 2>/dev/null; "
                      "for d in /run/httpd /var/spool/interauth /var/lib/interauth; do touch $d/x; done")
    assert said.stdout == "" and said.stderr == "", said
    passed(Client(server).granted("read").get(ORDERS))
    probe = server.pod["containers"][0]["readinessProbe"]["httpGet"]
    assert server.get(probe["path"]).status == 200 and probe["port"] == 8080


def test_body_in_the_spool(make_container):
    server = make_container()
    body = b"x" * (2 << 20)  # more than ISignBody keeps in memory
    response = passed(Client(server).granted("read").post(ORDERS, body, {"Content-Digest": digest(body)}))
    assert response.text.startswith(UID) and response.text.endswith(f" {len(body)}")


def test_without_a_spool(make_container):
    """Why the directive is needed: no other directory is writable."""
    server = make_container(without="ISignSpoolDirectory")
    body = b"x" * (2 << 20)
    server.log.expect("isign: a body cannot be stored: there is no temporary directory")
    server.log.expect("isign: refused reason=fault_spool")
    assert Client(server).granted("read").post(ORDERS, body, {"Content-Digest": digest(body)}).status == 503


def test_logs_are_its_output(make_container):
    server = make_container()
    for count in (1, 2):
        server.log.expect("sauth: refused reason=credentials_missing")
        assert server.get(ORDERS).status == 401
        server.log.wait("sauth: refused reason=credentials_missing", count)
        deadline = time.monotonic() + 5
        while server.stdout().count(f'"GET {ORDERS} HTTP/1.1" 401 ') != count:
            assert time.monotonic() < deadline, server.stdout()
            time.sleep(0.01)
        server.graceful()


def reload_by(server, act):
    resumed, children = server.resumed(), server.children()
    act()
    server.wait_until(lambda: server.resumed() > resumed, "reload by the script")
    server._retire(children)


def test_mutex_and_log_in_files(make_container):
    server = make_container(modules=("rewrite",), more="""
Mutex "file:/run/httpd" default
CustomLog "/run/httpd/access.log" "%U"
""")
    passed(Client(server).granted("read").get(ORDERS))
    server.stop()
    assert ORDERS in (server.volumes / "run/access.log").read_text()


def test_rotated_secret(make_container):
    server = make_container()
    old, new = Client(server).granted("read"), Client(server, secret=NEW_SECRET)
    server.log.expect("sauth: refused reason=mac_mismatch")
    assert new.ask().status == 401
    reload_by(server, lambda: server.rotate([participant(secret=NEW_SECRET)]))
    passed(new.granted("read").get(ORDERS))
    assert old.get(ORDERS).status == 401

    server.log.allow("Syntax OK|AH00014")
    server.log.expect("registry: RegistryFile")
    resumed = server.resumed()
    server.rotate('{"participants": [{"id": "x", "unknown": 1}]}')
    server.log.wait("/etc/interauth/participants.json.*unknown")
    passed(new.get(ORDERS))
    assert server.resumed() == resumed
    reload_by(server, lambda: server.rotate([participant(secret=NEW_SECRET)]))
    passed(new.get(ORDERS))


@pytest.mark.parametrize("end", [Container.stop, end_uncleanly])
def test_next_container(make_container, end):
    """Another container of the pod has the grants, and starts in spite of the files that the previous one left."""
    server = make_container()
    client = Client(server).granted("read")
    if end is end_uncleanly:
        server.stop()  # saved, as it would be within half a minute
        server.start()
    end(server)
    server.log.allow("AH00098|unshare: sigprocmask")
    server.start()
    if end is end_uncleanly:
        client.nonces = [client.generate()]
    passed(client.get(ORDERS))


def test_secret_with_the_default_mode(make_container):
    pod = manifest()
    del next(volume for volume in pod["volumes"] if volume["name"] == "participants")["secret"]["defaultMode"]
    server = make_container(pod, start=False)
    with pytest.raises(Unstartable):
        server.start()
    server.log.expect("participants.json: has mode 0644: it contains secrets")
    server.log.allow("AH0|configuration")
