"""Attackers: on the network path, with slow requests, and as an application of the same server."""
import json
import time
from urllib.parse import urlencode

import pytest

from harness import ENDPOINT, OTHER, UID, Client, Shown, Site, location
from harness.apps import CGI, install
from harness.challenge import DOMAIN, MD5, ChallengeClient, person, window
from harness.digest import digest
from harness.signed import BODY, ED, JSON, PEOPLE as SIGNERS
from harness.signer import Signer

SECRET = b"a shared secret beside the password"
OTHERS = "another password of this one"
PEOPLE = [person(secret=SECRET), person(OTHER, ["update"], OTHERS)]
CHALLENGE = f"SAuthChallenge hmac-sha256 md5\nSAuthChallengeDomain {DOMAIN}\nServerName https://127.0.0.1:@PORT@\n"
WARNING = r"\[sauth:warn\] .*SAuthChallenge md5 is for old clients only"
TARGET = "/cgi-bin/orders"
CALLS = "SAuthAccept challenge"
TYPE = {"Content-Type": "application/json"}


def site(more="", rules=location(TARGET, "Require capability read", CALLS), **options):
    return Site(config=ENDPOINT + CHALLENGE + rules + more, participants=PEOPLE, expect=(WARNING,), **options)


INDEX = """
<Directory "@ROOT@/htdocs/index">
    Options +ExecCGI
    AddHandler cgi-script .cgi
    {}
</Directory>
"""
ONE_FILE = '<Files "app.cgi">\n    {}\n    </Files>'
SIGNED = 'AuthType SAuth\nAuthName x\nSAuthAccept signature\nISign digest\nRequire capability read'
CALLED = 'AuthType SAuth\nAuthName x\nSAuthAccept challenge\nRequire capability read'


@pytest.mark.parametrize("ours_first", [False, True])
@pytest.mark.parametrize("way", ["DirectoryIndex app.cgi", "FallbackResource /index/app.cgi"])
class TestReplacedRequest:
    """mod_dir replaces the request by another one, in each load order of the modules."""

    def start(self, make_server, way, rules, ours_first, participants):
        server = make_server(Site(config=ENDPOINT + CHALLENGE + INDEX.format(way + "\n" + rules), participants=participants,
                                  expect=(WARNING,), ours_first=ours_first))
        install(server.root / "htdocs" / "index" / "app.cgi", server.fill(CGI))
        return server

    @pytest.mark.parametrize("rules", [SIGNED, ONE_FILE.format(SIGNED)])
    def test_changed_body(self, make_server, way, rules, ours_first):
        server = self.start(make_server, way, rules, ours_first, SIGNERS)
        for target in ["/index/"] + ["/index/else"] * way.startswith("Fallback"):
            for body, status in ((BODY, 200), (BODY[:-1] + b"]", 400)):
                headers = Signer(server, ED, f"{UID}#ed25519").headers("POST", target, JSON, BODY)
                if status == 400:
                    server.log.expect("isign: refused reason=digest_mismatch")
                response = server.post(target, body, headers)
                assert response.status == status, repr(response)
                if status == 200:
                    assert Shown(response).body == BODY and Shown(response).env["ISIGN_RESULT"] == "verified"

    @pytest.mark.parametrize("rules", [CALLED, ONE_FILE.format(CALLED)])
    def test_call(self, make_server, way, rules, ours_first):
        user = ChallengeClient(self.start(make_server, way, rules, ours_first, PEOPLE)).login()
        shown = Shown(user.call("/index/"))
        assert shown.body == user.body and shown.env["SAUTH_CALL"] == "orders.list"


class TestTrailers:
    """MergeTrailers adds trailers to the headers after decisions about these."""

    site = site("MergeTrailers On\n")

    def send(self, server, body, trailer):
        with server.connect() as connection:
            connection.send(server.message("POST", TARGET, {**TYPE, "Transfer-Encoding": "chunked"}) +
                            b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer))
            return connection.response("POST")

    @pytest.mark.parametrize("trailer", [b"Content-Encoding: gzip", b"Content-Type: text/xml", b"Content-Type: text/plain"])
    def test_headers_stay(self, server, trailer):
        user = ChallengeClient(server).login()
        body = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        shown = Shown(self.send(server, body, trailer))
        assert shown.body == body and shown.env["CONTENT_TYPE"] == "application/json"
        assert "HTTP_CONTENT_ENCODING" not in shown.env

    @pytest.mark.parametrize("trailer", [b"Content-Encoding: gzip", b"Content-Type: text/xml"])
    def test_of_unauthenticated_clients(self, server, trailer):
        server.log.expect("sauth: refused reason=token_unknown")
        stranger = {"method": "a.b", "token": "0" * 64, "signature": "0" * 64, "nonce": "0" * 20, "timestamp": 1, "request": {}}
        assert self.send(server, json.dumps(stranger).encode(), trailer).status == 401

    def test_none_is_added(self, server):
        user = ChallengeClient(server).login()
        body = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        assert "HTTP_X_ADDED" not in Shown(self.send(server, body, b"X-Added: 1")).env


class TestSlow:
    """Proofs are checked against the time at which they are complete, so that one that is held back cannot be used twice."""

    site = site("SAuthReplayCapacity 64\nSAuthReplayQuota 4\n", skew=2)

    @pytest.mark.parametrize("kind", ["access", "refresh"])
    def test_held_back(self, server, kind):
        into = server.clock.time() % 600  # the window that the tokens below are good in, which must not end meanwhile
        server.clock.advance(601 - into if into > 570 else 1)
        user = ChallengeClient(server).login()
        user.stamp()
        if kind == "refresh":
            body, media, target = user.text("auth.refresh", user.refresh_members()).encode(), JSON["Content-Type"], user.at
        else:
            client = Client(server, UID, SECRET)
            body = urlencode(client.form(client.body(access_for=["read"], nonces=1))).encode()
            media, target = "application/x-www-form-urlencoded", "/sauth/request_access"
        whole = server.message("POST", target, {"Content-Type": media}, body)
        server.log.allow(r"sauth: refused reason=(timestamp_stale|replay_quota|capability_missing)|\[authz_core:")
        with server.connect(60) as connection:
            connection.send(whole[:-1])
            time.sleep(0.3)
            assert server.post(target, body, {"Content-Type": media}).status == 200
            other = ChallengeClient(server, OTHER, OTHERS).login()
            for _ in range(20):  # fills the other's quota, so that the table is swept
                server.clock.advance(0.3)
                assert other.call(TARGET).status in (403, 429)
            connection.send(whole[-1:])
            assert connection.response("POST").status == 401
        server.log.expect("sauth: refused reason=timestamp_stale")


class TestEavesdropper:
    """Profile md5: whoever has seen a call can repeat it until its window ends, but not refresh the token."""

    site = site("SAuthChallengeLifetime 120\n", skew=60)

    def test_refresh_stays_in_its_window(self, server):
        user = ChallengeClient(server, profile=MD5, lifetime=120).login()
        for nonce in sorted({window(time.time() + off, 120) for off in (-59, 0, 59)}):
            signature = user.k(user.token, str(nonce))
            server.guard(signature)
            reply = user.exchange("auth.refresh", {"token": user.token, "signature": signature})
            assert reply.status == 200 and reply.response["signature"] == user.k(reply.response["token"], str(nonce))


class TestSignedResponses:
    """Clients take a signed response for that to their call."""

    text = '{"status":"valid","response":{"balance":"1"}}'
    slow = """#!/bin/sh
cat >/dev/null
printf 'Content-Type: application/json\\n\\n{"a":"%02000d",' 0
sleep 2
printf '"b":2}'
"""
    site = site(location("/b", "Require capability read", CALLS + "\nSAuthScope b\nErrorDocument 403 /b.json") +
                location("/observed", "Require capability read", CALLS + "\nSAuthScope b\nSAuthMode observe") +
                'Alias /observed "@ROOT@/htdocs/b.json"\nAddType application/json .json\n'
                'ScriptAlias /slow "@ROOT@/cgi-bin/slow"\n' + location("/slow", "Require capability read", CALLS),
                files={"b.json": text})

    @pytest.mark.parametrize("target, status", [("/b", 403), ("/observed", 200)])
    def test_of_another_scope(self, server, target, status):
        server.log.allow(r"sauth: (would refuse|refused) reason=scope_mismatch")
        response = ChallengeClient(server).login().call(target)
        assert response.status == status and response.body.decode() == self.text

    def test_replayed(self, server):
        """Otherwise an attacker could replace the response by this one, and the client would repeat the call."""
        user = ChallengeClient(server).login()
        user.call(TARGET)
        server.log.expect("sauth: refused reason=call_replayed")
        response = user.post(TARGET, user.body)
        assert response.status == 401 and response.json["error"]["code"] == "replayed_request" and "signature" not in response.json

    def test_streams(self, server):
        install(server.root / "cgi-bin" / "slow", self.slow)
        user = ChallengeClient(server).login()
        body = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        with server.connect() as connection:
            began = time.monotonic()
            connection.send(server.message("POST", "/slow", TYPE, body))
            assert b"200 OK" in connection.sock.recv(65536) and time.monotonic() - began < 1.5
            while connection.sock.recv(65536):
                pass


class TestSpoolQuota:
    """Bodies of unauthenticated clients cannot use the last quarter of ISignSpoolTotal."""

    site = site("ISignSpoolTotal 4M\n<Location \"/cgi-bin/show\">\n    ISign digest\n</Location>\n")

    def test_unauthenticated_clients(self, server):
        piece = b'{"method":"a.b","request":"' + b"x" * 1000000
        server.log.allow(r"reason=(spool_full|body_broken)")
        held = []
        for _ in range(4):
            connection = server.connect(30)
            connection.send(server.message("POST", TARGET, {**TYPE, "Content-Length": str(len(piece) + 2)}) + piece)
            held.append(connection)
        time.sleep(0.5)
        body = b"y" * 800000
        shown = Shown(server.post("/cgi-bin/show", body, {"Content-Digest": digest(body)}))
        assert shown.body == body and server.log.matching("spool_full")
        for connection in held:
            connection.close()
