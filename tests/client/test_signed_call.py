"""Signed calls, with a grant and without one, against a service on 127.0.0.1 and a real httpd."""
import json
import os
import re
import sys
import time

import pytest

from conftest import UID
from signed import BODY, Signer

sys.path.insert(0, os.path.realpath(os.path.join(os.path.dirname(__file__), "../httpd")))

from harness import ENDPOINT, Server, Site, participant
from harness.site import location


def arrived(interauth, seen, query=""):
    """Saves a request as the service received it."""
    method, path, headers, body = seen
    saved = interauth.home / "arrived"
    lines = ["%s %s%s HTTP/1.1" % (method, path, query)] + ["%s: %s" % field for field in headers.items()]
    saved.write_bytes("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return saved


class TestService:
    @pytest.mark.parametrize("kind", ["ed25519", "rsa", "hmac"])
    def test_a_signature_beside_a_grant_covers_it(self, interauth, ask, service, kind):
        ask()
        signer = Signer(interauth, kind, UID)
        result = interauth("call", "--sign-secret" if signer.secret else "--sign", signer.private, "-d", BODY,
                           service.origin + "/app/x?a=b&c")
        assert result.returncode == 0, result.stderr
        seen = service.requests("/app/x")
        assert len(seen) == 1 and seen[0][2]["Authorization"].startswith("SAuth ")
        output = signer.verify(arrived(interauth, seen[0], "?a=b&c"), "--scheme", "http", "--json")
        assert output.returncode == 0, output.stderr
        output = json.loads(output.stdout)
        assert output["keyid"] == signer.keyid
        assert '"authorization"' in output["covered"] and '"content-digest"' in output["covered"]

    def test_a_signature_alone(self, interauth, service):
        signer = Signer(interauth, "p256")
        result = interauth("call", "--no-grant", "--sign", signer.private, "--uid", "me", "-T", "-", "-o", "/dev/null",
                           "--json", service.origin + "/open", data=b"content")
        assert result.returncode == 0, result.stderr
        seen = service.requests("/open")[0]
        assert "Authorization" not in seen[2] and not interauth.state.exists()
        output = signer.verify(arrived(interauth, seen), "--json")
        assert json.loads(output.stdout)["keyid"] == "me#k1", output.stderr

    def test_a_request_without_credentials_is_not_signed(self, interauth, ask, service):
        service.give_nonces = service.nonce_endpoint = False
        ask()
        signer = Signer(interauth, "ed25519")
        assert interauth("call", "--sign", signer.private, "-d", BODY, service.origin + "/app").returncode == 0
        first, second = service.requests("/app")
        assert "Authorization" not in first[2] and "Signature" not in first[2]
        assert "Authorization" in second[2] and "Signature" in second[2]

    def test_each_attempt_has_its_own_signature(self, interauth, ask, held, service):
        ask()
        signer = Signer(interauth, "ed25519")
        service.nonces.clear()  # so that the stored nonce is stale
        assert interauth("call", "--sign", signer.private, service.origin + "/app").returncode == 0
        first, second = [seen[2] for seen in service.requests("/app")]
        assert first["Signature"] != second["Signature"] and first["Authorization"] != second["Authorization"]
        assert signer.verify(arrived(interauth, service.requests("/app")[1])).returncode == 0

    def test_the_keyid_and_the_cover_are_chosen(self, interauth, service):
        signer = Signer(interauth, "ed25519")
        options = ["--keyid", "mine", "--cover", "@method", "--cover", "x-a", "-H", "X-A: 1"]
        assert interauth("call", "--no-grant", "--sign", signer.private, *options,
                         service.origin + "/open").returncode == 0
        output = json.loads(signer.verify(arrived(interauth, service.requests("/open")[0]), "--require", "x-a",
                                        "--json").stdout)
        assert output["keyid"] == "mine" and output["covered"] == ['"@method"', '"x-a"']

    def test_label_tag_and_end_are_chosen(self, interauth, service):
        signer = Signer(interauth, "ed25519")
        assert interauth("call", "--no-grant", "--sign", signer.private, "--uid", "me", "--label", "mine", "--tag", "orders",
                         "--expires", "60", service.origin + "/open").returncode == 0
        field = service.requests("/open")[0][2]["Signature-Input"]
        created, expires = (int(re.search(r";%s=(\d+)" % name, field).group(1)) for name in ("created", "expires"))
        assert field.startswith("mine=(") and ';tag="orders"' in field and expires == created + 60

    def test_fields_that_are_added_on_sending(self, interauth, service):
        signer = Signer(interauth, "ed25519")
        options = ["--no-grant", "--sign", signer.private, "--cover", "host", "--cover", '"content-length"']
        assert interauth("call", *options, "-d", BODY, service.origin + "/open").returncode == 0
        assert interauth("call", *options, "-T", "-", service.origin + "/open", data=b"").returncode == 0
        for seen, length in zip(service.requests("/open"), (len(BODY), 0)):
            assert seen[2]["Host"] == service.origin.split("//")[1] and seen[2]["Content-Length"] == str(length)
            output = signer.verify(arrived(interauth, seen), "--require", "host", "--require", "content-length", "--json")
            assert json.loads(output.stdout)["covered"] == ['"host"', '"content-length"'], output.stderr
        refused = interauth("call", *options, service.origin + "/open")
        assert refused.returncode == 2 and '"content-length" cannot be covered: ' in refused.stderr

    @pytest.mark.parametrize("option", [["--label", "a"], ["--tag", "a"], ["--expires", "9"], ["--cover", "@path"]])
    def test_signature_options_require_a_key(self, interauth, service, option):
        result = interauth("call", *option, service.origin + "/open")
        assert result.returncode == 2 and "require --sign" in result.stderr and service.requests("/open") == []

    def test_a_host_of_its_own_is_the_authority(self, interauth, service):
        signer = Signer(interauth, "ed25519")
        assert interauth("call", "--no-grant", "--sign", signer.private, "-H", "Host: Orders.example",
                         service.origin + "/open").returncode == 0
        seen = service.requests("/open")[0]
        assert seen[2]["Host"] == "Orders.example"
        assert signer.verify(arrived(interauth, seen)).returncode == 0

    def test_nothing_is_sent_if_it_cannot_be_signed(self, interauth, ask, service):
        ask()
        signer = Signer(interauth, "ed25519")
        call = lambda *options: interauth("call", *options, service.origin + "/app").returncode
        assert call("--sign", signer.private, "--cover", "x-missing") == 2
        assert call("--sign", signer.public) == 1
        assert call("--sign", interauth.home / "missing") == 3
        assert call("--sign", signer.private, "-H", "Signature: sig1=:AAAA:") == 2
        hmac = Signer(interauth, "hmac")
        assert call("--no-grant", "--sign-secret", hmac.private) == 2
        signer.private.chmod(0o644)
        assert call("--sign", signer.private) == 1
        assert service.requests("/app") == []

    def test_a_server_that_has_just_started(self, interauth, ask, service):
        ask()
        signer = Signer(interauth, "ed25519")
        service.response = 503, [("Retry-After", "1"), ("Content-Type", "application/problem+json")], \
            b'{"code": "starting"}'
        began = time.monotonic()
        result = interauth("call", "--no-grant", "--sign", signer.private, service.origin + "/open")
        assert result.returncode == 3 and time.monotonic() - began >= 1
        assert "retrying in 1 s" in result.stderr
        first, second = [seen[2]["Signature-Input"] for seen in service.requests("/open")]
        assert first != second
        assert interauth("call", service.origin + "/app").returncode == 3
        assert len(service.requests("/app")) == 1


SIGNED = ENDPOINT + location("/files", "Require capability read", "SAuthAccept signature sauth\nISign digest") + \
    location("/cgi-bin/show", "Require capability read\nRequire signed", "ISign digest")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    import command

    path = command.find()
    if path is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    home = tmp_path_factory.mktemp("keys")
    runner = command.Command(path, home)
    return {kind: Signer(runner, kind, UID, kid=kind) for kind in ("ed25519", "p256", "p384", "rsa", "hmac")}


@pytest.fixture(scope="module")
def httpd(keys):
    import base64

    text = keys["hmac"].private.read_text().strip()
    secret = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    record = participant(UID, secret=secret, keys=[one.jwk for one in keys.values() if not one.secret])
    running = Server(Site(SIGNED, skew=1, participants=[record]))
    try:
        running.start()
        yield running
    finally:
        wrong = running.close()
    assert wrong == []


class TestHttpd:
    """After its start, a server does not know which nonces were used before, and refuses signatures for half a minute."""

    @pytest.fixture(scope="class", autouse=True)
    def started(self, httpd, keys):
        signer, until = keys["ed25519"], time.monotonic() + 45
        result = self.call(signer.interauth, httpd, signer, "--no-grant", "--uid", UID)
        assert "the server has just started" in result.stderr
        while "(starting, HTTP 503)" in result.stderr and time.monotonic() < until:
            result = self.call(signer.interauth, httpd, signer, "--no-grant", "--uid", UID)
        assert result.returncode == 0, result.stderr

    def call(self, interauth, httpd, signer, *options, path="/files/plain.txt"):
        interauth.canaries.update(signer.interauth.canaries)
        return interauth("call", "--sign-secret" if signer.secret else "--sign", signer.private, *options,
                         "http://127.0.0.1:%d%s" % (httpd.port, path))

    def test_a_signature_alone_opens_a_location(self, interauth, httpd, keys):
        for kind in sorted(keys):
            result = self.call(interauth, httpd, keys[kind], "--no-grant", "--uid", UID)
            assert (result.returncode, result.stdout, result.stderr) == (0, "plain\n", ""), kind

    def test_with_the_host_field(self, interauth, httpd, keys):
        cover = [option for name in ("@method", "@authority", "@path", "@query", "host") for option in ("--cover", name)]
        result = self.call(interauth, httpd, keys["ed25519"], "--no-grant", "--uid", UID, *cover)
        assert (result.returncode, result.stdout, result.stderr) == (0, "plain\n", "")

    def test_refusals_are_reported(self, interauth, httpd, keys):
        httpd.log.expect("sig_key_unknown")
        result = self.call(interauth, httpd, keys["ed25519"], "--no-grant", "--uid", UID, "--keyid", UID + "#k9")
        assert result.returncode == 1 and "invalid_signature" in result.stderr
        assert "check that the server has this key; its error log shows the reason\n" in result.stderr

    def test_beside_a_grant(self, interauth, httpd, keys):
        base = "http://127.0.0.1:%d" % httpd.port
        asked = interauth("grant", "--url", base + "/sauth", "--uid", UID, "--secret-file", keys["hmac"].private,
                          "--capability", "read", "--id")
        assert asked.returncode == 0, asked.stderr
        for kind in ("rsa", "hmac"):
            result = self.call(interauth, httpd, keys[kind], "-d", BODY, path="/cgi-bin/show")
            assert result.returncode == 0 and BODY in result.stdout, result.stderr

    def test_verify_agrees_with_the_server(self, interauth, httpd, keys):
        saved = interauth.home / "saved"
        assert interauth("sign", *keys["p384"].give, "--uid", UID, "--save", saved,
                         "http://127.0.0.1:%d/files/plain.txt" % httpd.port).returncode == 0
        result = interauth("verify", "--json", "--participants", httpd.participants_file, "--scheme", "http", saved)
        assert json.loads(result.stdout)["participant"] == UID, result.stderr
