"""Calls by challenge against a real httpd with the modules of the build directory: the command, and the clients of
docs/examples."""
import importlib.util
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, os.path.realpath(os.path.join(os.path.dirname(__file__), "../httpd")))

from challenge_service import ChallengeService
from harness import Server, Site
from harness.site import ENDPOINT

PASSWORD = "correct horse battery"
DOMAIN = "example.org"
SKEW = 3
EXAMPLES = Path(__file__).resolve().parents[2] / "docs/examples"
PHP = shutil.which("php")
CONFIG = ENDPOINT + """
SAuthChallenge hmac-sha256 md5
ServerName https://127.0.0.1:@PORT@
SAuthChallengeDomain example.org
SAuthChallengeLifetime 60
<Location "/cgi-bin/photos">
    AuthType SAuth
    AuthName "photos"
    SAuthAccept challenge
    Require capability read
</Location>
<Location "/cgi-bin/photos/digest">
    ISign digest
</Location>
<Location "/cgi-bin/photos/admin">
    Require capability admin
</Location>
"""
MD5 = r"SAuthChallenge\w* md5"
APP = r"""#!/bin/sh
cat >/dev/null
[ "$QUERY_STRING" != xml ] || { printf 'Content-Type: text/xml\r\n\r\n<xml><status>valid</status></xml>\n'; exit; }
[ "$QUERY_STRING" != html ] || { printf 'Content-Type: text/html\r\n\r\n<p>photo\n'; exit; }
[ "$QUERY_STRING" != missing ] || printf 'Status: 404\r\n'
printf 'Content-Type: application/json\r\n\r\n{"status": "valid", "response": {"user": "%s", "capabilities": "%s"}}\n' \
    "$REMOTE_USER" "$SAUTH_CAPABILITIES"
"""


def make(interauth, directory, uid, *more):
    """The record that the command makes from the password."""
    path = directory / "password"
    path.touch(mode=0o600)
    path.write_text(PASSWORD + "\n")
    result = interauth("participant", "make", uid, "--password-file", path, "--domain", DOMAIN, *more)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def httpd(tmp_path_factory):
    import command
    if command.find() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    home = tmp_path_factory.mktemp("maker")
    interauth = command.Command(command.find(), home)
    people = [{**make(interauth, home, "guest", "--profile", "hmac-sha256", "--profile", "md5", "--capability", "read"),
               "allow_refresh": True}, make(interauth, home, "plain", "--capability", "read")]
    running = Server(Site(CONFIG, skew=SKEW, participants=people, expect=(MD5,)))
    app = running.root / "cgi-bin/photos"
    app.write_text(APP)
    app.chmod(0o755)
    running.secrets = [secret for one in people for secret in one["challenge_secret"].values()]
    try:
        running.start()
        time.sleep(SKEW + 0.2)  # until then calls get "starting", and the examples do not wait
        yield running
    finally:
        wrong = running.close()
    assert wrong == []


@pytest.fixture(autouse=True)
def account(httpd):
    """Fails a test whose server logged an unexpected warning or error, or a secret."""
    httpd.guard(PASSWORD, *httpd.secrets)
    yield
    assert httpd.log.settle() == []


@pytest.fixture
def photos(base):
    return base + "/cgi-bin/photos"


@pytest.fixture
def password(interauth, httpd):
    path = interauth.home / "password"
    path.touch(mode=0o600)
    path.write_text(PASSWORD + "\n")
    interauth.canaries.update([PASSWORD, *httpd.secrets])
    return path


@pytest.fixture
def call(interauth, httpd, base, photos, password):
    def call_app(*more, first=True, uid="guest", expect=0, url=photos, data='{"id": 7}'):
        login = ["--endpoint", base + "/sauth", "--uid", uid, "--password-file", password] if first else []
        result = interauth("invoke", *login, "-d", data, *more, "photo.get", url)
        assert result.returncode == expect, result.stderr
        if interauth.state.exists():
            httpd.guard(*[record["token"] for record in held(interauth)])
        return result

    return call_app


def early_in_a_window():
    """Waits until a token obtained now is valid for the following calls."""
    left = 60 - time.time() % 60
    if left < 5:
        time.sleep(left + 0.1)


def held(interauth):
    return json.loads(interauth.state.read_text())["grants"]


class Proxy:
    """A proxy between one client and the server: records what the client sends, and can change what passes."""

    def __init__(self, port, to_server=lambda data: data, to_client=lambda data: data):
        self.to, self.change, self.sent = port, (to_server, to_client), b""
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                client, _ = self.door.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            for source, sink, number in ((client, server, 0), (server, client, 1)):
                threading.Thread(target=self.pump, args=(source, sink, number), daemon=True).start()

    def pump(self, source, sink, number):
        try:
            while data := source.recv(65536):
                if number == 0:
                    self.sent += data
                sink.sendall(self.change[number](data))
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """A close alone does not end a waiting accept(), which would take a connection of the next listener."""
        self.door.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.door.close()

    def url(self, photos):
        return re.sub(r":\d+/", ":%d/" % self.port, photos)


@pytest.fixture
def proxy(httpd):
    opened = []

    def open_proxy(**changes):
        opened.append(Proxy(httpd.port, **changes))
        return opened[-1]

    yield open_proxy
    for one in opened:
        one.close()


@pytest.mark.parametrize("profile", ["hmac-sha256", "md5"])
def test_login_and_calls(interauth, call, profile):
    early_in_a_window()
    assert json.loads(call("--profile", profile).stdout)["response"] == {"user": "guest", "capabilities": "read"}
    token = held(interauth)[0]["token"]
    for _ in range(2):
        result = call(first=False)
        assert json.loads(result.stdout)["response"]["user"] == "guest" and result.stderr == ""
    assert len(held(interauth)) == 1 and held(interauth)[0]["token"] == token
    assert stat.S_IMODE(interauth.state.stat().st_mode) == 0o600
    text = interauth.state.read_text()
    assert not any(canary in text for canary in interauth.canaries)


@pytest.mark.parametrize("profile", ["hmac-sha256", "md5"])
def test_xml(call, photos, profile):
    result = call("--profile", profile, "--xml", data='<id a="b">7</id>', url=photos + "?xml")
    assert result.stdout == "<xml><status>valid</status></xml>\n"


def test_the_body_has_its_digest(call, photos):
    for algorithm in ("sha-256", "sha-512"):
        call("--digest", algorithm, url=photos + "/digest")


def test_a_record_with_one_profile(call, httpd):
    httpd.log.expect("refused reason=secret_missing .*profile=md5 claimed=plain")
    call(uid="plain")
    result = call("--profile", "md5", uid="plain", expect=1)
    assert "invalid_credentials" in result.stderr


def test_a_wrong_password_and_an_unknown_user_look_alike(call, httpd, password, interauth):
    httpd.log.expect("refused reason=mac_mismatch")
    httpd.log.expect("refused reason=participant_unknown")
    password.write_text("wrong\n")
    wrong = call(expect=1)
    unknown = call(uid="nobody", expect=1)
    assert "(invalid_credentials, HTTP 401)" in wrong.stderr
    assert wrong.stderr.replace("guest", "nobody") == unknown.stderr
    assert not interauth.state.exists()


def test_a_response_changed_in_transit_is_refused(call, photos, proxy):
    call()
    between = proxy(to_client=lambda data: data.replace(b'"user": "guest"', b'"user": "guesT"'))
    result = call(url=between.url(photos), expect=3)
    assert result.stdout == "" and "the signature of the response is invalid" in result.stderr


def test_a_request_changed_in_transit_is_refused(call, httpd, photos, proxy):
    call()
    httpd.log.expect("refused reason=mac_mismatch")
    httpd.log.expect("refused reason=mac_mismatch")
    between = proxy(to_server=lambda data: data.replace(b'{"id": 7}', b'{"id": 8}'))
    result = call(url=between.url(photos), expect=1)
    assert "invalid_credentials, HTTP 401" in result.stderr and "not signed" in result.stderr


def test_a_replay_is_refused(call, httpd, photos, proxy):
    call()
    between = proxy()
    call(url=between.url(photos))
    head, body = between.sent.split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert json.loads(body)["request"] == {"id": 7}
    httpd.log.expect("refused reason=call_replayed")
    response = httpd.post("/cgi-bin/photos", body, {"Content-Type": headers["Content-Type"]})
    assert response.status == 401 and response.json["error"]["code"] == "replayed_request"


def test_refusals_and_errors_of_a_known_client_are_signed(call, httpd, photos):
    httpd.log.allow("AH01631|reason=capability_missing")
    result = call(url=photos + "/admin", expect=1)
    assert "insufficient_capability, HTTP 403" in result.stderr and "not signed" not in result.stderr
    result = call(url=photos + "?missing", expect=1)
    assert "HTTP 404" in result.stderr and "not signed" not in result.stderr


def test_a_response_that_cannot_be_signed_is_discarded(call, photos):
    result = call(url=photos + "?html", expect=3)
    assert result.stdout == "" and "HTTP 200, text/html" in result.stderr


def test_another_login_of_the_same_user(interauth, call):
    call()
    first = interauth.state.read_text()
    interauth.state.unlink()
    call()
    interauth.state.write_text(first)
    assert call(first=False).returncode == 0


def test_many_at_once(interauth, call, photos):
    call()
    running = [interauth.start("invoke", "photo.get", photos) for _ in range(8)]
    results = [interauth.finish(process) for process in running]
    assert [result.returncode for result in results] == [0] * 8, [result.stderr for result in results]


def example(name, *arguments):
    program = [sys.executable] if name.endswith(".py") else [PHP]
    if program == [None]:
        pytest.skip("php is not installed (Debian's package php-cli)")
    return subprocess.run([*program, EXAMPLES / name, *map(str, arguments)], capture_output=True, text=True, timeout=60)


class StartingOnce(list):
    """Refuses the first call of the application."""
    def __init__(self, service):
        super().__init__([(503, "starting")])
        self.service = service

    def __bool__(self):
        return len(self) > 0 and self.service.methods()[-1] == "photo.get"


@pytest.mark.parametrize("name", ["challenge.py", "challenge.php"])
class TestExamples:
    def test_calls(self, name, photos, password):
        assert len((EXAMPLES / name).read_text().splitlines()) < 60
        done = example(name, photos, "guest", password, "photo.get", '{"title": "\u00fcber", "of": [1, {}]}')
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["response"] == {"user": "guest", "capabilities": "read"}
        assert example(name, photos, "guest", password, "photo.get").returncode == 0

    def test_wrong_password(self, name, httpd, photos, password):
        httpd.log.expect("refused reason=mac_mismatch")
        password.write_text("wrong\n")
        done = example(name, photos, "guest", password, "photo.get")
        assert (done.returncode, done.stdout) == (1, "") and "401" in done.stderr and "invalid_credentials" in done.stderr

    @pytest.mark.parametrize("change", [lambda data: data.replace(b'"user": "guest"', b'"user": "guesT"'),
                                        lambda data: data.replace(b'"signature":', b'"signaturE":')])
    def test_changed_response(self, name, photos, password, proxy, change):
        done = example(name, proxy(to_client=change).url(photos), "guest", password, "photo.get")
        assert (done.returncode, done.stdout) == (3, "") and "not signed by the server" in done.stderr

    def test_signed_refusal(self, name, httpd, photos, password):
        httpd.log.allow("AH01631|reason=capability_missing")
        done = example(name, photos + "/admin", "guest", password, "photo.get")
        assert (done.returncode, done.stdout) == (1, "") and "insufficient_capability" in done.stderr

    def test_usage(self, name):
        for arguments in ((), ("a",) * 3, ("a",) * 6):
            done = example(name, *arguments)
            assert (done.returncode, done.stdout) == (2, "")
            assert "URL USER PASSWORD_FILE METHOD" in done.stderr

    def test_fault(self, name, photos, password):
        for arguments in (("http://127.0.0.1:1/sauth", "guest", password), (photos, "guest", "/nonexistent")):
            done = example(name, *arguments, "photo.get")
            assert (done.returncode, done.stdout) == (3, "") and done.stderr.count("\n") == 1, done.stderr

    def test_server_that_has_just_started(self, name, password):
        service = ChallengeService(PASSWORD.encode())
        try:
            service.refuse = StartingOnce(service)
            done = example(name, service.app, "guest", password, "photo.get")
            assert done.returncode == 0 and json.loads(done.stdout)["status"] == "valid", done.stderr
            assert service.methods() == ["auth.request", "auth.token", "photo.get", "photo.get"]
            service.retry_after, service.refuse = "61", StartingOnce(service)
            assert example(name, service.app, "guest", password, "photo.get").returncode == 1
        finally:
            service.close()


def test_the_python_example_logs_in_again(httpd, photos, password):
    spec = importlib.util.spec_from_file_location("challenge_example", EXAMPLES / "challenge.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = module.Client(photos, "guest", PASSWORD.encode())
    assert client.call("photo.get", {})["status"] == "valid"
    httpd.log.expect("refused reason=token_unknown")
    client.token = "0" * 64
    assert client.call("photo.get", {})["status"] == "valid" and client.token != "0" * 64


@pytest.mark.skipif(not PHP, reason="php is not installed (Debian's package php-cli)")
def test_the_php_example_logs_in_again(httpd, photos, password, tmp_path):
    httpd.log.expect("refused reason=token_unknown")
    script = tmp_path / "again.php"
    script.write_text("<?php require '%s'; $token = new ReflectionProperty('Client', 'token'); "
                      "$token->setValue($client, str_repeat('0', 64)); echo $client->call($method, '{}');"
                      % (EXAMPLES / "challenge.php"))
    done = subprocess.run([PHP, script, photos, "guest", password, "photo.get"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.count('"status": "valid"') == 2


def asked(httpd):
    """The number of requests to the endpoint; the access log is written after the response."""
    time.sleep(0.2)
    return (httpd.root / "logs/access.log").read_text().count('"POST /sauth/challenge')


def test_across_the_end_of_a_window(interauth, call, httpd):
    """A participant that may refresh does so, in one exchange; another one logs in again. Waits up to a minute."""
    httpd.log.allow("refused reason=refresh_not_allowed")
    early_in_a_window()
    call()
    call(uid="plain")
    before = held(interauth)
    time.sleep(60 - time.time() % 60 + 0.2)
    start = asked(httpd)
    assert call("--grant", before[0]["name"], first=False).stderr == ""
    assert asked(httpd) == start + 1
    assert call("--grant", before[1]["name"], first=False).stderr == ""
    assert asked(httpd) == start + 4
    assert call("--grant", before[1]["name"], first=False).stderr == ""
    assert asked(httpd) == start + 4
    assert [new["token"] != old["token"] and new["expires"] > old["expires"]
            for new, old in zip(held(interauth), before)] == [True, True]


def test_after_a_stop_of_the_server(call, httpd):
    call()
    httpd.log.allow("refused reason=(token_unknown|starting)")
    httpd.log.expect(MD5)
    httpd.stop()
    httpd.start()
    result = call(first=False)
    assert "logged in again" in result.stderr
