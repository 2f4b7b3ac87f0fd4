"""Locations that look protected, but are not: detected at the start, or else at the first request."""
import re

from harness import BASIC, Client, Connection, ENDPOINT, PAGE, Site, digest, passed, refused

# As Debian ships it: a section that may or may not apply, beside the one that is to be protected.
DEBIAN = '<FilesMatch "^\\.ht">\n    Require all denied\n</FilesMatch>\n'
INHERITS = ENDPOINT + DEBIAN + '<Location "/files">\n    AuthType SAuth\n    AuthName x\n</Location>\n'


class TestInherited:
    """AuthType SAuth without a Require of its own, below `Require all granted`."""

    site = Site(config=INHERITS)

    def test_anonymous(self, server):
        server.log.allow("AuthType SAuth in <Location /files> without a Require of its own|AuthType SAuth in <Location")
        refused(server, server.get(PAGE), 503, "unavailable", "location_unguarded", level="error")
        assert server.get(PAGE).header("Retry-After") == "60"

    def test_authenticated(self, server):
        passed(Client(server).granted().get(PAGE))


class TestOwn:
    """`Require all granted` beside AuthType SAuth is intended: credentials are checked if there are any."""

    site = Site(config=ENDPOINT + DEBIAN + '<Location "/files">\n    AuthType SAuth\n    AuthName x\n'
                       '    Require all granted\n</Location>\n')

    def test_anybody(self, server):
        assert server.get(PAGE).status == 200


class TestBelowASecondSection:
    """The rule of an outer section applies to inner ones."""

    site = Site(config=ENDPOINT + '<Location "/files">\n    Require capability read\n</Location>\n'
                       '<Location "/files/plain.txt">\n    AuthType SAuth\n    AuthName x\n</Location>\n')

    def test_both(self, server):
        refused(server, server.get(PAGE), 401, "credentials_required", "credentials_missing", level="info")
        passed(Client(server).granted().get(PAGE))


class TestElsewhere:
    """Credentials that are valid at one location are not valid at another, within one request or in two."""

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
        response = Client(server).granted().get("/cgi-bin/show?location=/files/plain.txt")
        assert response.status == 401 and response.problem["code"] == "wrong_presentation"
        assert response.all("WWW-Authenticate") == ['Signature realm="x"'] and response.header("Accept-Signature")
        server.log.expect(r"\[sauth:warn\] .*sauth: refused reason=presentation_mismatch")

    def test_captured(self, server):
        """A request that is refused for its scope cannot be replayed at the location for which it is valid."""
        client = Client(server).granted()
        seen = {"Authorization": client.header()}
        response = server.get("/app/x", seen)
        refused(server, response, 403, "wrong_scope", "scope_mismatch")
        assert response.nextnonce
        refused(server, server.get("/cgi-bin/show", seen), 401, "replayed_nonce", "nonce_replayed")


class TestHashElsewhere:
    """A location that requires SHA-256 cannot be reached with SHA-1 through one that accepts it."""

    site = Site(modules=("include",), config=ENDPOINT.replace("SetHandler sauth", "SetHandler sauth\nSAuthHash sha1 sha256") + """
AddOutputFilter INCLUDES .shtml
<Directory @ROOT@/htdocs>
    Options +Includes
</Directory>
<Location "/pages">
    AuthType SAuth
    AuthName x
    SAuthHash sha1 sha256
    Require capability read
</Location>
<Location "/files">
    AuthType SAuth
    AuthName x
    Require capability read
</Location>
""", files={"pages/one.shtml": '[<!--#include virtual="/files/plain.txt" -->]'})

    def test_included(self, server):
        strong, weak = Client(server).granted(), Client(server, hash="sha1").granted()
        assert "an error occurred" not in strong.get("/pages/one.shtml").text
        response = weak.get("/pages/one.shtml")
        assert response.status == 200 and "an error occurred" in response.text, repr(response)
        server.log.expect("sauth: refused reason=authorization_malformed .*location=/files/plain.txt")
        server.log.allow("AH01374|unable to include")


    def test_weak_is_not_computed(self, server):
        """The response does not say what is wrong with an HMAC of a hash that is not accepted."""
        weak = Client(server, hash="sha1").granted()
        weak.secret = b"not the secret!!"
        refused(server, weak.get("/files/plain.txt"), 401, "invalid_credentials", "authorization_malformed")


class TestTrailers:
    """Trailers that httpd merges into the headers cannot set an identity."""

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
        client = Client(server).granted()
        body = b"{}"
        connection = Connection(server.port)
        head = (f"POST /cgi-bin/show HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n"
                f"Authorization: {client.header()}\r\nContent-Digest: {digest(body)}\r\n"
                "Transfer-Encoding: chunked\r\nTrailer: SAuth-Participant\r\n\r\n")
        connection.send(head.encode() + b"2\r\n{}\r\n0\r\nSAuth-Participant: evil\r\nISign-Participant: evil\r\n\r\n")
        response = connection.response()
        assert response.status == 200 and b"evil" not in response.body, repr(response)


class TestSubRequests:
    """The result of a sub-request is kept after its end."""

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
            response = Client(server).granted()
            value = server.get("/", {"Authorization": response.header()}).header("Authentication-Info")
            assert value is None or re.fullmatch(r'nextnonce="[\w-]{22}"', value), value


class TestLogDetail:
    """Details in the log that are not in the response."""

    site = Site(config=BASIC)

    def test_claimed(self, server):
        response = Client(server, uid="http://nobody.example").ask()
        line = refused(server, response, 401, "invalid_credentials", "participant_unknown")
        assert 'claimed=http://nobody.example' in line and b"nobody" not in response.body

    def test_nested_endpoint(self, server):
        response = server.post("/sauth/request_access/request_access", b"")
        refused(server, response, 404, "not_found", "endpoint_unknown")


class TestObserved:
    """Requests that would be refused are logged at httpd's default LogLevel."""

    site = Site(config=BASIC.replace("Require capability read", "SAuthMode observe\nRequire capability read"))

    def test_anonymous(self, server):
        server.log.expect(r"\[sauth:warn\] .*sauth: would refuse reason=credentials_missing")
        assert server.get(PAGE).status == 200


class TestEndpointBelowASection:
    """An endpoint authenticates clients itself: it does not inherit AuthType, ISign or our rules of sections around it."""

    site = Site(config=ENDPOINT + """
<Location "/">
    AuthType SAuth
    AuthName x
    ISign require
    <RequireAll>
        Require capability read
        Require signed
    </RequireAll>
</Location>
""")

    def test_grant(self, server):
        client = Client(server).granted()
        assert client.refresh().status == 200 and client.generate()

    def test_bad_proof_is_refused(self, server):
        refused(server, Client(server, secret=b"not the secret!!").ask(), 401, "invalid_credentials", "mac_mismatch")

    def test_what_lies_beside_it_is_protected(self, server):
        assert server.get("/sauthor").status == 401 and server.get("/files/plain.txt").status == 401
        server.log.allow("reason=sig_absent|credentials_missing")


class TestEndpointWithAnotherHandler:
    """The exemptions of an endpoint do not apply to other content at its URL."""

    site = Site(modules=("status", "rewrite"), expect=("replaces the handler of the endpoints",), config=ENDPOINT + """
<Location "/">
    AuthType SAuth
    AuthName x
    Require capability read
</Location>
<Location "/sauth">
    <If "%{QUERY_STRING} == 'if'">
        SetHandler server-status
    </If>
    RewriteEngine On
    RewriteCond %{QUERY_STRING} =rewrite
    RewriteRule . - [H=server-status]
</Location>
""")

    def test_nothing_is_served(self, server):
        refused(server, server.get("/sauth/generate_nonce?if"), 503, "unavailable", "location_unguarded", level="error")
        response = server.get("/sauth/generate_nonce?rewrite")
        assert b"Server Version" not in response.body and response.status != 200 or len(response.body) == 22
        assert server.get("/sauth/generate_nonce").status == 200
        server.log.allow("location_unguarded")


class TestVirtualHostOverAnEndpoint:
    """Debian's order: the endpoint in conf-available, the site in a virtual host that is merged later."""

    site = Site(config=ENDPOINT + """
<VirtualHost *:@PORT@>
    <Location "/">
        AuthType SAuth
        AuthName x
        ISign digest
        Require capability read
    </Location>
</VirtualHost>
""")

    def test_grant_and_call(self, server):
        passed(Client(server).granted().get(PAGE))
        refused(server, server.get(PAGE), 401, "credentials_required", "credentials_missing", level="info")


class TestLimited:
    """Rules for some methods leave the others without a rule."""

    site = Site(config=ENDPOINT + """
<Location "/files">
    AuthType SAuth
    AuthName x
    <Limit GET>
        Require capability read
    </Limit>
</Location>
<Location "/cgi-bin/orders">
    AuthType SAuth
    AuthName x
    <LimitExcept POST>
        Require capability read
    </LimitExcept>
</Location>
<Location "/cgi-bin/show">
    AuthType SAuth
    AuthName x
    <Limit GET HEAD>
        Require capability read
    </Limit>
    <LimitExcept GET HEAD>
        Require capability update
    </LimitExcept>
</Location>
""", expect=("AuthType SAuth in <Location",))

    def test_others_are_closed(self, server):
        before = server.journal()
        refused(server, server.post("/files/plain.txt", b"x"), 503, "unavailable", "location_unguarded", level="error")
        for method, path in (("OPTIONS", "/files/plain.txt"), ("POST", "/cgi-bin/orders")):
            assert server.request(method, path, {}, b"x" if method == "POST" else None).status == 503
        response = Client(server).granted().post("/cgi-bin/orders", b"x")
        assert response.status == 503 and server.journal() == before
        server.log.allow("reason=location_unguarded")

    def test_methods_with_rules(self, server):
        client = Client(server).granted("read", "update")
        for path in ("/files/plain.txt", "/cgi-bin/orders", "/cgi-bin/show"):
            passed(client.get(path))
        passed(client.post("/cgi-bin/show", b"x"))
        refused(server, server.get("/files/plain.txt"), 401, "credentials_required", "credentials_missing", level="info")


class Methods:
    """A rule for GET only, where other methods would be open: they are refused."""

    def test_get_is_protected(self, server):
        refused(server, server.get(PAGE), 401, "credentials_required", "credentials_missing", level="info")
        passed(Client(server).granted().get(PAGE))

    def test_other_methods_are_closed(self, server):
        """Unknown methods share one bit, which is not that of GET. Faults are rate-limited in the log: one line."""
        server.log.expect("sauth: refused reason=location_unguarded")
        for method in ("POST", "OPTIONS", "PROPFIND", "UNHEARD-OF"):
            response = server.request(method, PAGE, {}, b"x" if method == "POST" else None)
            assert response.status == 503 and response.problem["code"] == "unavailable", repr(response)


class TestMethodsOfASectionAround(Methods):
    """The rule for the method is in a section around the one that has only AuthType SAuth."""

    site = Site(config=ENDPOINT + DEBIAN + """
<Location "/files">
    <Limit GET>
        Require capability read
    </Limit>
    <Limit POST OPTIONS>
        Require all granted
    </Limit>
</Location>
<Location "/files/plain.txt">
    AuthType SAuth
    AuthName x
</Location>
""", expect=("without a Require of its own",))


class TestMethodsMerged(Methods):
    """With AuthMerging the open rule of the directory applies to methods without a rule of ours."""

    site = Site(config=ENDPOINT + DEBIAN + """
<Location "/files">
    AuthType SAuth
    AuthName x
    AuthMerging And
    <Limit GET>
        Require capability read
    </Limit>
</Location>
""", expect=("without a Require of its own",))


OPENED_BETWEEN = ENDPOINT + """
<Location "/a">
    AuthType SAuth
    AuthName x
    Require capability read
</Location>
<Location "/a/b">
    %s
    Require all granted
</Location>
<Location "/a/b/c">
    AuthType SAuth
    AuthName x
</Location>
"""


class TestOpenedBetween:
    """A section in between grants access and replaces the rule of the outer one."""

    def test_start_is_refused(self, make_server):
        accepted, said = make_server(Site(config=OPENED_BETWEEN % ""), start=False).check()
        assert not accepted and re.search(r"httpd.conf:\d+: AuthType SAuth in <Location '/a/b/c'> without a Require", said), said

    def test_merged_rules_hold(self, make_server):
        server = make_server(Site(config=OPENED_BETWEEN % "AuthMerging And", files={"a/b/c/x.txt": "x"}))
        assert server.get("/a/b/c/x.txt").status == 401
        passed(Client(server).granted().get("/a/b/c/x.txt"))
        server.log.allow("credentials_missing")

    def test_found_at_run_time(self, make_server):
        """With a pattern it is undecidable at the start, and detected at the request."""
        server = make_server(Site(config=OPENED_BETWEEN.replace('<Location "/a/b">', '<LocationMatch "^/a/b">').replace(
            "Require all granted\n</Location>\n<Location", "Require all granted\n</LocationMatch>\n<Location") % "", files={"a/b/c/x.txt": "x"},
            expect=("AuthType SAuth in <Location",)))
        refused(server, server.get("/a/b/c/x.txt"), 503, "unavailable", "location_unguarded", level="error")


class TestWarnings:
    """A warning names the file and line of what weakens a rule."""

    def said(self, make_server, config):
        accepted, said = make_server(Site(modules=("access_compat",), config=ENDPOINT + config), start=False).check()
        assert accepted, said
        return said

    def test_satisfy_any(self, make_server):
        said = self.said(make_server, '<Location "/files">\nAuthType SAuth\nAuthName x\nRequire capability read\nSatisfy Any\n</Location>\n')
        assert re.search(r"httpd.conf:\d+: Satisfy Any: clients that meet the rules for hosts need no credentials", said), said
        said = self.said(make_server, '<Location "/files">\nAuthType SAuth\nAuthName x\nRequire capability read\nSatisfy All\n</Location>\n')
        assert "Satisfy" not in said

    def test_auth_merging_or(self, make_server):
        said = self.said(make_server, '<Location "/files">\nRequire all granted\n</Location>\n<Location "/files/x">\nAuthType SAuth\n'
                         'AuthName x\nAuthMerging Or\nRequire capability read\n</Location>\n')
        assert re.search(r"httpd.conf:\d+: AuthMerging Or: an enclosing section has", said), said

    def test_opened_later(self, make_server):
        guarded = '<Location "/files">\nAuthType SAuth\nAuthName x\nRequire capability read\n</Location>\n'
        directory = '<Directory "@ROOT@/htdocs/files">\nAuthType SAuth\nAuthName x\nRequire capability read\n</Directory>\n'
        opens = '<Location "%s">\nRequire all granted\n</Location>\n'
        again = directory.replace("AuthType SAuth\nAuthName x\nRequire capability read", "Require all granted")
        for config in (guarded + opens % "/", guarded + opens % "/files", directory + opens % "/", opens % "/" + directory,
                       guarded + "<VirtualHost *:@PORT@>\n" + opens % "/" + "</VirtualHost>\n"):
            said = self.said(make_server, config)
            assert "overrides the protection by AuthType SAuth at" in said, (config, said)
        assert "overrides the protection by AuthType SAuth" in self.said(
            make_server, directory + "<VirtualHost *:@PORT@>\n" + again + "</VirtualHost>\n")
        for config in (opens % "/" + guarded, guarded + opens % "/other", guarded + opens % "/files/open", again + directory,
                       "<VirtualHost *:@PORT@>\n" + guarded + "</VirtualHost>\n<VirtualHost *:@PORT@>\n" + opens % "/" + "</VirtualHost>\n"):
            assert "opens what" not in self.said(make_server, config), config

    def test_only_in_an_if(self, make_server):
        guarded = "AuthType SAuth\nAuthName x\nRequire capability read\n"
        text = "<Location /files>\n<If \"true\">\n%s</If>\n%s</Location>\n"
        assert "applies only if its <If> does" in self.said(make_server, text % (guarded, ""))
        assert "only where" not in self.said(make_server, text % (guarded, "<Else>\nRequire all denied\n</Else>\n"))

    def test_if(self, make_server):
        guarded = '<Location "/files">\nAuthType SAuth\nAuthName x\nRequire capability read\n%s</Location>\n'
        opens = "<If \"%{QUERY_STRING} == 'x'\">\n<RequireAny>\nRequire all granted\n</RequireAny>\n</If>\n"
        for around in (opens, f'<Location "/">\n{opens}</Location>\n'):
            said = self.said(make_server, guarded % "" + around)
            assert re.search(r"httpd.conf:\d+: Require all granted: if its <If> applies, everybody has access", said), said
        for meant in (guarded % opens, guarded % "" + f'<Location "/other">\n{opens}</Location>\n',
                      guarded % "" + "<IfModule mod_sauth.c>\n<Location /other>\nRequire all granted\n</Location>\n</IfModule>\n"):
            assert "<If>" not in self.said(make_server, meant), meant

    def test_handler_taken_away(self, make_server):
        said = self.said(make_server, '<Location "/">\nSetHandler server-status\n</Location>\n')
        assert re.search(r"httpd.conf:\d+: SetHandler server-status: replaces the handler of the endpoints at .*:\d+;", said), said
        said = self.said(make_server, '<Location "/status">\nSetHandler server-status\n</Location>\n')
        assert "replaces the handler" not in said


class TestRulesOfOthers:
    """An authenticated client that a rule of httpd denies: 403 with problem+json, one log line, no challenge."""

    site = Site(modules=("authz_user",), config=ENDPOINT
                + "".join(f'<Location "{path}">\nAuthType SAuth\nAuthName x\n{rule}\n</Location>\n' for path, rule in (
                    ("/files", "Require user somebody.else"), ("/cgi-bin/orders", 'Require expr "%{REQUEST_METHOD} == \'PUT\'"'),
                    ("/cgi-bin/show", "<RequireAll>\nRequire capability read\nRequire user x\n</RequireAll>"),
                    ("/app", "Require valid-user"))))

    def test_denied(self, server):
        for path in ("/files/plain.txt", "/cgi-bin/orders", "/cgi-bin/show"):
            response = Client(server).granted().get(path)
            refused(server, response, 403, "forbidden", "rule_not_met")
            assert response.challenge is None and response.header("WWW-Authenticate") is None
            assert len(server.log.matching(f'sauth: refused reason=rule_not_met .*location={path}')) == 1

    def test_denied_with_a_page_of_the_administrators(self, make_server):
        server = make_server(Site(config=self.site.config + "ErrorDocument 403 sorry\n", modules=self.site.modules))
        response = Client(server).granted().get("/files/plain.txt")
        assert response.status == 403 and response.text == "sorry"
        server.log.expect("sauth: refused reason=rule_not_met participant=")
        server.log.allow("AH016")

    def test_allowed(self, server):
        assert Client(server).granted().get("/app/x").status in (200, 404)
        assert not server.log.matching("refused reason=rule_not_met.*/app")

    def test_unknown(self, server):
        for path in ("/files/plain.txt", "/app/x"):
            response = server.get(path)
            assert response.status == 401 and response.challenge and response.problem["code"] == "credentials_required", repr(response)
        server.log.allow("credentials_missing")
