"""Locations that look protected: what the configuration does not show at start-up shows at the first request."""
from harness import BASIC, Caller, ENDPOINT, PAGE, Site, UID, passed, refused

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
