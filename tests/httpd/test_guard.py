"""Locations that look protected: what the configuration does not show at start-up shows at the first request."""
import re

from harness import BASIC, Caller, Connection, ENDPOINT, PAGE, Site, digest, passed, refused

# As Debian ships it: a section that may or may not apply, beside the one that is to be protected.
DEBIAN = '<FilesMatch "^\\.ht">\n    Require all denied\n</FilesMatch>\n'
INHERITS = ENDPOINT + DEBIAN + '<Location "/files">\n    AuthType SAuth\n    AuthName x\n</Location>\n'


class TestInherited:
    """AuthType SAuth without a Require of its own, below `Require all granted`."""

    site = Site(config=INHERITS)

    def test_nobody_gets_in(self, server):
        server.log.allow("AuthType SAuth in <Location /files> without a Require of its own|AuthType SAuth in <Location")
        refused(server, server.get(PAGE), 503, "unavailable", "location_unguarded", level="error")
        assert server.get(PAGE).header("Retry-After") == "60"

    def test_a_known_caller_does(self, server):
        passed(Caller(server).granted().get(PAGE))


class TestOwn:
    """`Require all granted` said beside AuthType SAuth is meant: callers that show credentials are checked."""

    site = Site(config=ENDPOINT + DEBIAN + '<Location "/files">\n    AuthType SAuth\n    AuthName x\n'
                       '    Require all granted\n</Location>\n')

    def test_anybody(self, server):
        assert server.get(PAGE).status == 200


class TestBelowASecondSection:
    """The capability of a wider section holds below it."""

    site = Site(config=ENDPOINT + '<Location "/files">\n    Require capability read\n</Location>\n'
                       '<Location "/files/plain.txt">\n    AuthType SAuth\n    AuthName x\n</Location>\n')

    def test_both(self, server):
        refused(server, server.get(PAGE), 401, "credentials_required", "credentials_missing", level="info")
        passed(Caller(server).granted().get(PAGE))


class TestElsewhere:
    """What is good at one location is not good at another, in one request or in two."""

    site = Site(config=ENDPOINT + """
<Location "/cgi-bin/show">
    AuthType SAuth
    AuthName x
    Require capability read
</Location>
<Location "/files">
    AuthType SAuth
    AuthName x
    SAuthAccept signature
    ISign digest
    ISignMode observe
    Require capability read
</Location>
<Location "/app">
    AuthType SAuth
    AuthName x
    SAuthScope other
    Require capability read
</Location>
""")

    def test_presentation(self, server):
        answer = Caller(server).granted().get("/cgi-bin/show?location=/files/plain.txt")
        assert answer.status == 401 and answer.problem["code"] == "wrong_presentation"
        assert answer.all("WWW-Authenticate") == ['Signature realm="x"'] and answer.header("Accept-Signature")
        server.log.expect(r"\[sauth:warn\] .*sauth: refused reason=presentation_mismatch")

    def test_captured(self, server):
        """A request that one location refused for its scope is not good at the one that it would suit."""
        caller = Caller(server).granted()
        seen = {"Authorization": caller.header()}
        answer = server.get("/app/x", seen)
        refused(server, answer, 403, "wrong_scope", "scope_mismatch")
        assert answer.nextnonce
        refused(server, server.get("/cgi-bin/show", seen), 401, "replayed_nonce", "nonce_replayed")


class TestTrailers:
    """Trailers that httpd merges into the headers bring no identity with them."""

    site = Site(config=ENDPOINT + """
MergeTrailers On
<Location "/cgi-bin/show">
    AuthType SAuth
    AuthName x
    ISign digest
    Require capability read
</Location>
""")

    def test_forged(self, server):
        caller = Caller(server).granted()
        body = b"{}"
        connection = Connection(server.port)
        head = (f"POST /cgi-bin/show HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n"
                f"Authorization: {caller.header()}\r\nContent-Digest: {digest(body)}\r\n"
                "Transfer-Encoding: chunked\r\nTrailer: SAuth-Participant\r\n\r\n")
        connection.send(head.encode() + b"2\r\n{}\r\n0\r\nSAuth-Participant: evil\r\nISign-Participant: evil\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 200 and b"evil" not in answer.body, repr(answer)


class TestSubRequests:
    """What a sub-request learned outlives it."""

    site = Site(config=ENDPOINT + """
<Location "/files">
    AuthType SAuth
    AuthName x
    Require capability read
</Location>
DirectoryIndex /files/nothing.txt index.html
""", modules=("dir",))

    def test_directory_index(self, server):
        for _ in range(20):
            answer = Caller(server).granted()
            value = server.get("/", {"Authorization": answer.header()}).header("Authentication-Info")
            assert value is None or re.fullmatch(r'nextnonce="[\w-]{22}"', value), value


class TestRemarks:
    """What the log says besides the reason, and the answer does not."""

    site = Site(config=BASIC)

    def test_claimed(self, server):
        answer = Caller(server, uid="http://nobody.example").ask()
        line = refused(server, answer, 401, "invalid_credentials", "participant_unknown")
        assert 'claimed="http://nobody.example"' in line and b"nobody" not in answer.body

    def test_nested_endpoint(self, server):
        answer = server.post("/sauth/request_access/request_access", b"")
        refused(server, answer, 404, "not_found", "endpoint_unknown")


class TestObserved:
    """Who would be locked out shows at httpd's default LogLevel."""

    site = Site(config=BASIC.replace("Require capability read", "SAuthMode observe\nRequire capability read"))

    def test_anonymous(self, server):
        server.log.expect(r"\[sauth:warn\] .*sauth: would refuse reason=credentials_missing")
        assert server.get(PAGE).status == 200
