"""The client against a real httpd with the modules of the build directory."""
import json
import os
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.realpath(os.path.join(os.path.dirname(__file__), "../httpd")))

from harness import BASIC, Server, Site, participant
from harness.server import free_port
from harness.site import SECRET, UID, b64url

DIGEST = """
<Location "/cgi-bin/other">
    AuthType SAuth
    AuthName "other"
    Require capability read
    ISign digest
</Location>
"""


@pytest.fixture(scope="module")
def httpd():
    if "INTERAUTH_BUILD" not in os.environ:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    running = Server(Site(BASIC + DIGEST, skew=1, participants=[
        participant(), participant("http://limited.example", capabilities=["update"])]))
    try:
        running.start()
        yield running
    finally:
        wrong = running.close()
    assert wrong == []


@pytest.fixture(autouse=True)
def account(httpd):
    """Fails a test whose server logged an unexpected warning or error."""
    httpd.guard(SECRET, b64url(SECRET))
    yield
    assert httpd.log.settle() == []


@pytest.fixture
def secret_file(interauth):
    path = interauth.home / "secret"
    path.touch(mode=0o600)
    path.write_text(b64url(SECRET) + "\n")
    interauth.canaries.add(b64url(SECRET))
    return path


@pytest.fixture
def ask(interauth, httpd, base, secret_file):
    def ask_for(*more, uid=UID, capability="read", expect=0):
        result = interauth("grant", "--url", base + "/sauth", "--uid", uid, "--secret-file", secret_file,
                           "--capability", capability, "--id", *more)
        assert result.returncode == expect, result.stderr
        if expect == 0:
            interauth.canaries.add(held(interauth)["token"])
            httpd.guard(held(interauth)["token"])
        return result

    return ask_for


def held(interauth):
    return json.loads(interauth.state.read_text())["grants"][0]


def test_grant_and_a_chain_of_calls(interauth, ask, base):
    output = json.loads(ask("--json").stdout)
    assert output["access_to"] == ["read"] and output["can_refresh"] is True
    for _ in range(3):
        result = interauth("call", base + "/cgi-bin/orders")
        assert (result.returncode, result.stderr) == (0, "")
        assert UID in result.stdout
    assert len(held(interauth)["nonces"]) == 1
    assert stat.S_IMODE(interauth.state.stat().st_mode) == 0o600


def test_sixteen_at_once(interauth, ask, base):
    ask("--nonces", "4")
    for _ in range(2):
        running = [interauth.start("call", base + "/files/plain.txt") for _ in range(16)]
        results = [interauth.finish(process) for process in running]
        assert [(result.returncode, result.stdout) for result in results] == [(0, "plain\n")] * 16, \
            [result.stderr for result in results]


def test_a_nonce_survives_a_refusal_of_the_app(interauth, ask, base):
    ask()
    assert interauth("call", base + "/files/missing").returncode == 1
    assert len(held(interauth)["nonces"]) == 1
    assert interauth("call", base + "/files/plain.txt").returncode == 0


def test_a_nonce_that_was_spent_elsewhere_is_replaced(interauth, ask, httpd, base):
    ask()
    httpd.log.expect("refused reason=nonce_replayed")
    state = interauth.state.read_text()
    assert interauth("call", base + "/files/plain.txt").returncode == 0
    interauth.state.write_text(state)
    result = interauth("call", base + "/files/plain.txt")
    assert (result.returncode, result.stdout, result.stderr) == (0, "plain\n", "")


def test_without_nonces(interauth, ask, base):
    ask()
    state = json.loads(interauth.state.read_text())
    state["grants"][0]["nonces"] = []
    interauth.state.write_text(json.dumps(state))
    assert interauth("call", base + "/files/plain.txt").returncode == 0


def test_a_body_and_its_digest(interauth, ask, httpd, base):
    httpd.log.expect("refused reason=digest_mismatch")
    ask()
    for algorithm in ("sha-256", "sha-512"):
        result = interauth("call", "-d", "order=1", "--digest", algorithm, base + "/cgi-bin/other")
        assert result.returncode == 0, result.stderr
        assert "order=1" in result.stdout
    result = interauth("call", "-d", "order=1", "-H", "Content-Digest: sha-256=:%s:" % ("A" * 43 + "="),
                       base + "/cgi-bin/other")
    assert result.returncode == 1 and "digest_mismatch" in result.stderr


def test_refusals_are_reported(interauth, ask, httpd, base):
    httpd.log.expect("refused reason=capability_not_held")
    httpd.log.expect("reason=capability_missing")
    httpd.log.allow("AH01631")
    result = ask(capability="everything", expect=1)
    assert "capability_not_held" in result.stderr and "requested: everything\n" in result.stderr
    ask(uid="http://limited.example", capability="update")
    result = interauth("call", base + "/files/plain.txt")
    assert result.returncode == 1 and "insufficient_capability" in result.stderr
    assert json.loads(result.stdout)["code"] == "insufficient_capability"


def test_an_unknown_participant(ask, httpd):
    httpd.log.expect("refused reason=participant_unknown")
    assert "invalid_credentials" in ask(uid="nobody", expect=1).stderr


class TestNewGrant:
    """Grants that end on the server: by a stop without SAuthStateFile, or by another secret."""
    NEW = b"a new secret of 30 bytes......"

    @pytest.fixture
    def own(self, interauth, secret_file):
        if "INTERAUTH_BUILD" not in os.environ:
            pytest.skip("INTERAUTH_BUILD does not name a build directory")
        running = Server(Site(BASIC, skew=1))
        running.guard(SECRET, b64url(SECRET), self.NEW, b64url(self.NEW))
        interauth.canaries.add(b64url(self.NEW))
        running.start()
        base = "http://127.0.0.1:%d" % running.port
        result = interauth("grant", "--url", base + "/sauth", "--uid", UID, "--secret-file", secret_file,
                           "--capability", "read")
        assert result.returncode == 0, result.stderr
        running.guard(held(interauth)["token"])
        yield running
        assert running.close() == []

    def call(self, interauth, own):
        result = interauth("call", "http://127.0.0.1:%d/files/plain.txt" % own.port)
        own.guard(held(interauth)["token"])
        return result

    def granted(self, own):
        return len(own.log.matching("sauth: granted"))

    def test_after_a_stop(self, interauth, own):
        own.stop()
        own.start()
        own.log.expect("refused reason=token_unknown")
        before = self.granted(own)
        result = self.call(interauth, own)
        assert (result.returncode, result.stdout) == (0, "plain\n"), result.stderr
        assert "obtained a new grant from " in result.stderr and self.granted(own) == before + 1
        assert self.call(interauth, own).stderr == ""

    def test_after_a_rotation_of_the_secret(self, interauth, own, secret_file):
        own.participants([participant(secret=None, shared_secrets=[
            {"value": b64url(self.NEW)}, {"value": b64url(SECRET), "not_after": "2020-01-01T00:00:00Z"}])])
        own.graceful()
        own.log.expect("refused reason=mac_mismatch")
        own.log.expect("refused reason=secret_rotated")
        before = self.granted(own)
        result = self.call(interauth, own)
        assert result.returncode == 1 and self.granted(own) == before
        assert "a new grant was refused too" in result.stderr
        assert result.stderr.count("(invalid_credentials, HTTP 401)") == 2
        assert len(own.log.matching("refused reason=mac_mismatch")) == 2
        secret_file.write_text(b64url(self.NEW) + "\n")
        result = self.call(interauth, own)
        assert (result.returncode, result.stdout) == (0, "plain\n"), result.stderr
        assert self.granted(own) == before + 1
        assert self.call(interauth, own).stderr == ""


def test_two_requests_in_one_second(interauth, httpd, base, secret_file):
    httpd.log.allow("refused reason=access_replayed")
    for _ in range(20):  # until two requests fall into one second
        result = interauth("grant", "--url", base + "/sauth", "--uid", UID, "--secret-file", secret_file,
                           "--capability", "read")
        assert result.returncode == 0, result.stderr
        interauth.canaries.add(held(interauth)["token"])
        httpd.guard(held(interauth)["token"])
        if httpd.log.matching("refused reason=access_replayed"):
            return
    pytest.fail("none of these were of one second")


def test_a_url_without_an_endpoint(interauth, httpd, base, secret_file):
    result = interauth("grant", "--url", base + "/nosuch", "--uid", UID, "--secret-file", secret_file,
                       "--capability", "read")
    assert result.returncode == 1, result.stderr
    assert "requested %s/nosuch/request_access: is --url the location with SetHandler sauth?" % base in result.stderr


def test_refresh(interauth, ask):
    ask("--lifespan", "60")
    before = held(interauth)
    result = interauth("refresh", "--lifespan", "600")
    assert result.returncode == 0, result.stderr
    after = held(interauth)
    assert after["token"] == before["token"] and after["expires"] > before["expires"]


def test_trace_is_warned_about(interauth, httpd, base):
    result = interauth("check", "--url", base + "/cgi-bin/orders", "--json")
    assert result.returncode == 0
    assert [one["code"] for one in json.loads(result.stdout)["findings"]] == ["trace"]


def test_check_detects_a_tls_port(interauth, tmp_path):
    key, certificate, port = tmp_path / "key.pem", tmp_path / "certificate.pem", free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = Server(Site(modules=("ssl", "socache_shmcb"), config="""
TraceEnable off
Listen 127.0.0.1:%d
<VirtualHost 127.0.0.1:%d>
    SSLEngine on
    SSLCertificateFile %s
    SSLCertificateKeyFile %s
</VirtualHost>
""" % (port, port, certificate, key)))
    server.log.allow("ssl:warn|AH01909|AH01906")
    try:
        server.start()
        result = interauth("check", "--url", "http://127.0.0.1:%d/" % port)
        assert result.returncode == 1 and "require https://" in result.stdout, result
        result = interauth("check", "--url", "https://127.0.0.1:%d/" % port, "--cacert", certificate)
        assert result.returncode == 0, result
    finally:
        wrong = server.close()
    assert wrong == []


def test_the_participants_file_of_the_server(interauth, httpd):
    result = interauth("participant", "show", UID, "--file", httpd.participants_file)
    assert result.returncode == 0
    assert b64url(SECRET) not in result.stdout
    assert interauth("check", "--file", httpd.participants_file, "--json").returncode == 1  # one secret for two
