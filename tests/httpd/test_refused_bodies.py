"""After a refusal, neither an error document nor another handler can read the body."""
import os

import pytest

from harness import ENDPOINT, Shown, Site, UID, digest, location
from harness.apps import MARK, environment
from harness.challenge import DOMAIN, HMAC, ChallengeClient, person
from harness.http2 import Http2
from harness.locate import taker
from harness.signed import BODY, JSON, PEOPLE, opened, turned_away
from harness.verdict import HTTPD_DENIES

ERRORS = "".join(f'ErrorDocument {status} /error/\n' for status in (400, 401, 403, 413, 415, 429, 503))
SPOOL, STREAM = "ISignBody spool 1K 64K", "ISignBody stream"
CHALLENGE = f"SAuthChallenge hmac-sha256\nSAuthChallengeDomain {DOMAIN}\n"
SMUGGLED = b"GET /cgi-bin/other HTTP/1.1\r\nHost: x\r\n\r\n"


def site(rules, **options):
    return Site(participants=PEOPLE + [person("http://by.password")], foreign=(("taker", taker()),), modules=("http2",),
                config="Protocols h2c http/1.1\n" + ENDPOINT + CHALLENGE + ERRORS
                + 'ScriptAlias "/error/" "@ROOT@/cgi-bin/show/"\n' + f'<Location "/error">\n{rules}\n</Location>\n'
                + opened("spool", "ISign digest", "Require signed", SPOOL)
                + opened("stream", "ISign digest", "Require signed", STREAM)
                + opened("taken", "ISign digest", "Require signed", "TakeBody access 1000 replay")
                + opened("stuck", "ISign digest", "Require signed", "TakeBody access 1000 stick")
                + opened("half", "ISign digest", "Require signed", "TakeBody access 5 replay")
                + location("/cgi-bin/orders", "Require capability read", "SAuthAccept challenge")
                + location("/files", "Require capability read"), **options)


class Gone:
    def gone(self, server, response, status, result, participant=UID):
        """What the error document saw."""
        assert response.status == status and MARK in response.body, repr(response)
        env, body = environment(response.body)
        assert body == b"" and env.get("CONTENT_LENGTH", "0") in ("0", ""), repr(response)
        assert env["SCRIPT_NAME"].startswith("/error") and env["REDIRECT_STATUS"] == str(status)
        assert env.get("ISIGN_RESULT") == result and env.get("ISIGN_PARTICIPANT") == participant, repr(response)
        server.log.allow(r"(isign|sauth): refused reason=|AH0|" + HTTPD_DENIES)
        return env

    def send(self, server, target, pairs, body, way="length"):
        if way == "h2":
            with Http2(server.port) as http2:
                return http2.request("POST", target, pairs, body)
        return server.post(target, body, pairs, chunked=way == "chunked")

    @pytest.mark.parametrize("way", ["length", "chunked", "h2"])
    def test_digest(self, server, signer, way):
        """Bodies whose digest is wrong, missing, or not covered."""
        before = server.journal().count("/cgi-bin/other GET")
        for size in (20, 9000, 40000):
            body = SMUGGLED + os.urandom(size)
            pairs = signer.headers("POST", "/spool", JSON, body + b"!")
            self.gone(server, self.send(server, "/spool", pairs, body, way), 400, "digest_mismatch")
        pairs = signer.headers("POST", "/spool", [("Content-Digest", "sha-256=:AAAA:"), *JSON.items()])
        self.gone(server, self.send(server, "/spool", pairs, BODY, way), 400, "digest_malformed")
        self.gone(server, self.send(server, "/spool", [], BODY, way), 403, None, None)
        assert server.journal().count("/cgi-bin/other GET") == before

    @pytest.mark.parametrize("chunked", [False, True])
    def test_too_large(self, server, signer, chunked):
        body = b"x" * 70000
        pairs = signer.headers("POST", "/spool", JSON, body)
        self.gone(server, server.post("/spool", body, pairs, chunked=chunked), 413, "body_too_large")

    @pytest.mark.parametrize("target", ["/spool", "/stream"])
    @pytest.mark.parametrize("way", ["length", "chunked", "h2"])
    def test_signature(self, server, signer, target, way):
        """A body that was not read before its signature was refused."""
        for size in (0, 100000):
            body = SMUGGLED + os.urandom(size)
            wrong = [(name, value.replace("json", "xml") if name == "Content-Type" else value)
                     for name, value in signer.headers("POST", target, JSON, body)]
            self.gone(server, self.send(server, target, wrong, body, way), 401, "sig_mismatch", None)

    def test_taken(self, server, signer):
        """A body that another module has read and would return."""
        for target in ("/taken", "/half", "/stuck"):
            for body in (BODY, os.urandom(30000)):
                pairs = signer.headers("POST", target, JSON, body)
                self.gone(server, server.post(target, body, pairs), 503, "fault_body_taken")

    def test_call(self, server):
        """A call by challenge that mod_sauth has read and refused."""
        user = ChallengeClient(server, "http://by.password", profile=HMAC).login()
        body = user.text("a.b", {}, **{**user.call_members("a.b", {}), "signature": "0" * 64}).encode()
        for chunked in (False, True):
            response = server.post("/cgi-bin/orders", body, {"Content-Type": "application/json"}, chunked=chunked)
            self.gone(server, response, 401, None, None)
        response = server.post("/cgi-bin/orders", b"{" * 2000000, {"Content-Type": "application/json"})
        self.gone(server, response, 413, None, None)

    def test_endpoint(self, server):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.gone(server, server.post("/sauth/request_access", b"x=1&" * 100000, form), 413, None, None)
        self.gone(server, server.post("/sauth/request_access", b"nonsense", form), 400, None, None)

    def test_connection(self, server, signer):
        """The unread rest of a refused body is not taken for a request."""
        for target in ("/stream", "/files/plain.txt", "/spool"):
            with server.connect() as connection:
                body = b"x" * 20000 + SMUGGLED * 5
                pairs = signer.headers("POST", target, JSON, body)
                wrong = [(name, "text/plain" if name == "Content-Type" else value) for name, value in pairs]
                connection.send(server.message("POST", target, wrong, body, close=False) +
                                server.message("GET", "/index.html"))
                response = connection.response()
                assert response.status == 401
                self.gone(server, response, 401, "sig_mismatch" if target != "/files/plain.txt" else None, None)
                try:
                    assert connection.response().text == "home\n"
                except EOFError:
                    assert "close" in response.header("Connection")
        assert "/cgi-bin/other GET" not in server.journal()


class TestUnchecked(Gone):
    """The error document's location checks nothing."""

    site = site("Require all granted")


class TestChecked(Gone):
    """The location of the error document requires a digest too."""

    site = site("ISign digest\nRequire all granted")


class TestErrorOfTheApp:
    """An error of the application, which has read the body: its error document runs."""

    site = Site(config='ErrorDocument 404 /cgi-bin/show\n<Location "/">\nISign digest\n</Location>\n')

    def test_front_controller(self, server):
        """ErrorDocument as a front controller: it reads a checked body."""
        response = server.post("/nothing", BODY, {"Content-Digest": digest(BODY)})
        assert response.status == 404
        env, body = environment(response.body)
        assert body == BODY and env["ISIGN_RESULT"] == "verified"
        response = server.post("/nothing", BODY, {"Content-Digest": digest(b"x")})
        server.log.expect("isign: refused reason=digest_mismatch")
        assert response.status == 400 and MARK not in response.body


class TestRedirected:
    """An internal redirect from a location without digests to one that requires them."""

    site = Site(modules=("rewrite",), files={"lax/x": "", "lax/index.html": ""},
                config='<Directory "@ROOT@/htdocs/lax">\nISign optional\nDirectoryIndex /strict\nRewriteEngine On\n'
                'RewriteBase "/lax"\nRewriteRule ^x$ "/strict" [PT,L]\n</Directory>\n'
                + opened("strict", "ISign digest", "Require all granted"))

    @pytest.mark.parametrize("target", ["/lax/x", "/lax/"])
    def test_digest(self, server, target):
        assert Shown(server.post(target, BODY, {"Content-Digest": digest(BODY)})).env["ISIGN_RESULT"] == "verified"
        for chunked in (False, True):
            response = server.post(target, BODY, chunked=chunked)
            turned_away(server, response, 400, "digest_missing", "digest_missing")
        assert Shown(server.post(target, b"")).env["ISIGN_RESULT"] == "none"


class TestLeftOver:
    """A CGI that has read its body redirects by Location to a page that requires a digest: there is no body any more."""

    site = Site(config=opened("strict", "ISign digest", "Require all granted"))

    @pytest.mark.parametrize("chunked", [False, True])
    def test_location(self, server, chunked):
        shown = Shown(server.post("/cgi-bin/other?location=/strict", BODY, chunked=chunked))
        assert shown.body == b"" and shown.env.get("ISIGN_RESULT") in (None, "none")
        assert shown.env["SCRIPT_NAME"] == "/strict"
