"""Bodies that another module reads before or beside mod_isign: checked as a whole or refused, never passed on unchecked."""
import os

import pytest

from harness import ENDPOINT, Shown, Site, UID, digest, location
from harness.challenge import DOMAIN, HMAC, ChallengeClient, person
from harness.http2 import Http2
from harness.locate import build_dir, security2, taker
from harness.signed import BODY, ED, JSON, PEOPLE, opened, turned_away
from harness.signer import Signer

WAYS = {"spool": "ISignBody spool", "stream": "ISignBody stream"}
CHANGED = BODY[:-1] + b"]"


def signed(name, *lines):
    return opened(name, "ISign digest", "Require signed", *lines)


def send(server, pairs, target, body, way):
    """One POST over HTTP/1.1, with a length or chunked, or over HTTP/2."""
    if way == "h2":
        with Http2(server.port) as http2:
            return http2.request("POST", target, pairs, body)
    return server.post(target, body, pairs, chunked=way == "chunked")


SECURITY = """
Protocols h2c http/1.1
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 2000000
SecRequestBodyNoFilesLimit 2000000
SecAuditEngine Off
SecTmpDir "@ROOT@/spool"
SecDataDir "@ROOT@/spool"
SecRule REQUEST_BODY "@contains forbidden" "id:1,phase:2,deny,status:406,log,t:none"
SecAction "id:2,phase:1,nolog,pass,ctl:forceRequestBodyVariable=On"
"""


@pytest.mark.skipif(security2() is None, reason="no mod_security2.so: INTERAUTH_SECURITY2 names one")
@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
@pytest.mark.parametrize("ours_first", [False, True])
class TestModSecurity:
    """Debian's mod_security2 inspects the same bodies, in either order of loading."""

    @pytest.fixture
    def server(self, make_server, mpm, ours_first):
        site = Site(participants=PEOPLE, mpm=mpm, ours_first=ours_first, modules=("unique_id", "http2"),
                    foreign=(("security2", security2()),), log_level="info",
                    config=SECURITY + "".join(signed(name, lines) for name, lines in WAYS.items()),
                    expect=(r"AH10034",) if mpm == "prefork" else ())
        server = make_server(site)
        server.log.allow(r"\[security2:|ModSecurity|:notice\]")
        return server

    def test_bodies(self, server, mpm):
        signer = Signer(server, ED, UID + "#ed25519")
        for target in WAYS:
            for way in ("length", "chunked") + (("h2",) if mpm != "prefork" else ()):
                for body in (BODY, os.urandom(300000)):
                    shown = Shown(send(server, signer.headers("POST", "/" + target, JSON, body), "/" + target, body, way))
                    assert shown.body == body, (target, way)
                    assert shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_PARTICIPANT"] == UID
                before = server.journal()
                for right, wrong in ((BODY, CHANGED), (b"", BODY)):
                    server.log.allow(r"isign: (refused|aborted) reason=digest_mismatch|AH")
                    pairs = signer.headers("POST", "/" + target, JSON, right)
                    assert send(server, pairs, "/" + target, wrong, way).status in (400, 500, 0), (target, way)
                assert server.journal() == before, (target, way)
            # its rules still see the body
            assert signer.post("/" + target, b"forbidden", {"Content-Type": "text/plain"}).status == 406


@pytest.mark.skipif(build_dir() is None, reason="INTERAUTH_BUILD does not name a build directory")
@pytest.mark.parametrize("ours_first", [False, True])
class TestTaken:
    """Another module that reads all or a part of a body, in any hook, and returns it or not."""

    hooks = ("access", "type", "fixups")

    @pytest.fixture
    def server(self, make_server, ours_first):
        text = "".join(signed(f"{name}-{hook}-{count}-{way}", lines, f"TakeBody {hook} {count} {way}")
                       for name, lines in WAYS.items() for hook in self.hooks for count in (5, 1000)
                       for way in ("drop", "replay", "end"))
        text += "".join(signed(f"late-{count}-{way}", WAYS["stream"], f"TakeBody handler {count} {way}")
                        for count in (5, 1000) for way in ("replay", "end"))
        text += "".join(signed(f"{name}-under-{count}", lines, f"TakeBody access {count} under")
                        for name, lines in WAYS.items() for count in (5, 1000))
        text += "".join(f'<Directory "@ROOT@/htdocs/{kind}">\nRewriteEngine On\nRewriteBase "/{kind}"\n'
                        f'RewriteRule ^(.*)$ "/$1" [PT,L]\nTakeBody {take}\n</Directory>\n'
                        for kind, take in (("before", "access 1000 replay"), ("free", "none 0 drop")))
        text += opened("plain", "TakeBody access 1000 replay", "Require all granted")
        text += opened("unsigned", "ISign digest", "TakeBody access 1000 replay", "Require all granted")
        return make_server(Site(participants=PEOPLE, config="Protocols h2c http/1.1\n" + text, modules=("http2", "rewrite"),
                                foreign=(("taker", taker()),), ours_first=ours_first,
                                files={"before/x": "", "free/x": ""}))

    def test_before(self, server):
        """No body passes that was not checked as a whole."""
        signer = Signer(server, ED, UID + "#ed25519")
        before = server.journal()
        for name in WAYS:
            for hook in self.hooks:
                for count in (5, 1000):
                    for kind in ("drop", "replay", "end"):
                        target, way = f"/{name}-{hook}-{count}-{kind}", ("length", "chunked", "h2")[(count + len(kind)) % 3]
                        for body in (BODY, CHANGED):
                            pairs = signer.headers("POST", target, JSON, BODY)
                            response = send(server, pairs, target, body, way)
                            assert response.status == 503 and response.problem["code"] == "unavailable", (target, repr(response))
        server.log.expect(r"\[isign:error\] .*isign: refused reason=fault_body_taken participant=")
        assert server.journal() == before

    def test_digest_of_nothing(self, server):
        """A body that another module consumed is not an empty body."""
        signer = Signer(server, ED, UID + "#ed25519")
        before = server.journal()
        for kind in ("drop", "replay"):
            target = f"/spool-access-1000-{kind}"
            assert signer.server.post(target, BODY, signer.headers("POST", target, JSON, b"")).status == 503
        server.log.expect("isign: refused reason=fault_body_taken")
        assert server.journal() == before

    def test_below(self, server):
        """If the length is known, a reader below all filters is detected too."""
        signer = Signer(server, ED, UID + "#ed25519")
        before = server.journal()
        for name in WAYS:
            for count in (5, 1000):
                target = f"/{name}-under-{count}"
                for claimed in (BODY, b"", BODY[5:]):
                    response = server.post(target, BODY, signer.headers("POST", target, JSON, claimed))
                    assert response.status != 200 and UID.encode() not in response.body, (target, claimed, repr(response))
        server.log.expect("isign: (refused|aborted) reason=fault_body_taken")
        server.log.allow("AH0")
        assert [line for line in server.journal()[len(before):] if "stream" not in line] == []

    def test_redirected(self, server):
        """A body that was read at the location where an internal redirect began."""
        signer = Signer(server, ED, UID + "#ed25519")
        for name in WAYS:
            for kind, status in (("before", 503), ("free", 200)):
                target = f"/{kind}/{name}-access-5-drop"
                response = server.post(target, BODY, signer.headers("POST", target, JSON, BODY))
                assert response.status == status, (target, repr(response))
        server.log.expect("isign: refused reason=fault_body_taken")

    def test_no_body(self, server):
        """Reading an empty body takes nothing away."""
        signer = Signer(server, ED, UID + "#ed25519")
        for target in ("/spool-access-1000-drop", "/stream-access-1000-replay"):
            assert Shown(signer.get(target)).env["ISIGN_RESULT"] == "verified"
            assert Shown(signer.post(target, b"")).env["ISIGN_RESULT"] == "verified"

    def test_where_nothing_is_checked(self, server):
        """Locations where ISign is off are not affected."""
        assert Shown(server.post("/plain", BODY)).body == BODY
        server.log.expect("isign: refused reason=digest_missing")
        assert server.post("/unsigned", BODY).status == 400

    def test_call(self, make_server, ours_first):
        """A call by challenge that another module has read authenticates no one."""
        rules = "".join(location(f"/cgi-bin/{name}", "Require capability read", f"SAuthAccept challenge\nTakeBody access {take}")
                        for name, take in (("orders", "1000 replay"), ("other", "5 drop")))
        server = make_server(Site(participants=[person()], foreign=(("taker", taker()),), ours_first=ours_first,
                                  config=f"{ENDPOINT}SAuthChallenge hmac-sha256\nSAuthChallengeDomain {DOMAIN}\n{rules}"))
        user = ChallengeClient(server, profile=HMAC).login()
        for target in ("/cgi-bin/orders", "/cgi-bin/other"):
            assert user.call(target).status == 503
        server.log.expect("sauth: refused reason=fault_body_taken")
        assert server.journal() == []

    def test_late(self, server):
        """After the check, all readers read through our filter; only a module that makes up an end is stopped."""
        signer = Signer(server, ED, UID + "#ed25519")
        long = os.urandom(100000)
        for target, body in (("/late-5-replay", long), ("/late-1000-replay", long), ("/late-1000-end", BODY)):
            assert Shown(signer.post(target, body)).body == body
        response = signer.post("/late-5-end", long)
        assert response.status != 200, repr(response)
        server.log.expect("isign: aborted reason=fault_body_taken")
        server.log.allow("AH0")


AUTH_FORM = """
<Location "/form">
    AuthType form
    AuthName x
    AuthFormProvider file
    AuthUserFile "@ROOT@/conf/users"
    KeptBodySize 8192
    Session On
    SessionCookieName session path=/
    ISign digest
    Require valid-user
</Location>
ScriptAlias "/form" "@ROOT@/cgi-bin/show"
"""


class TestAuthForm:
    """mod_auth_form reads the body for a name and a password, and mod_request gives it back."""

    site = Site(config=AUTH_FORM, modules=("auth_form", "request", "session", "session_cookie", "authn_file", "authz_user"))

    def test_form(self, server):
        (server.root / "conf" / "users").write_text("kurt:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
        body = b"httpd_username=kurt&httpd_password=password"
        form = {"Content-Type": "application/x-www-form-urlencoded", "Content-Digest": digest(body)}
        response = server.post("/form", body, form)
        turned_away(server, response, 503, "unavailable", "fault_body_taken", level="error")
        assert server.journal() == []
