"""Require capability, participant and participant-role; scopes; observe mode; beside other Require lines."""
import pytest

from harness import (BASIC, Client, ENDPOINT, OTHER, OTHER_SECRET, PAGE, PEOPLE, Shown, Site, UID, passed, refused,
                     script)
from harness.sauth import FORM


class TestRequire:
    site = Site(modules=("authz_user",), participants=PEOPLE, config=ENDPOINT + "".join([
        script("read", "Require capability read"),
        script("update", "Require capability update"),
        script("either", "Require capability read update"),
        script("both", "<RequireAll>\nRequire capability read\nRequire capability update\n</RequireAll>"),
        script("neither", "<RequireAll>\nRequire all granted\n<RequireNone>\nRequire capability update\n</RequireNone>\n"
                          "Require capability read\n</RequireAll>"),
        script("someone", f'Require participant "{UID}"'),
        script("one-of", f'Require participant nobody "{OTHER}"'),
        script("auditor", "Require participant-role auditor"),
        script("roles", "Require participant-role auditor provider"),
        script("valid", "Require valid-user"),
        script("user", f'Require user "{UID}"'),
        script("expression", 'Require capability "%{reqenv:WANTED}"', "SetEnvIf X-Wanted (.+) WANTED=$1"),
        script("expr-participant", 'Require participant "%{req:X-Wanted}"'),
        script("expr-role", 'Require participant-role "%{req:X-Wanted}"'),
        script("methods", "<RequireAny>\n<RequireAll>\nRequire method GET HEAD\nRequire capability read\n</RequireAll>\n"
                          "Require capability update\n</RequireAny>"),
    ]))

    def clients(self, server):
        return (Client(server).granted("read"), Client(server).granted("update"), Client(server).granted("read", "update"),
                Client(server, OTHER, OTHER_SECRET).granted("read"))

    @pytest.mark.parametrize("path, statuses, code, reason", [
        ("/read", (200, 403, 200, 200), "insufficient_capability", "capability_missing"),
        ("/update", (403, 200, 200, 403), "insufficient_capability", "capability_missing"),
        ("/either", (200, 200, 200, 200), None, None),
        ("/both", (403, 403, 200, 403), "insufficient_capability", "capability_missing"),
        ("/someone", (200, 200, 200, 403), "participant_not_allowed", "participant_not_listed"),
        ("/one-of", (403, 403, 403, 200), "participant_not_allowed", "participant_not_listed"),
        ("/auditor", (200, 200, 200, 403), "insufficient_role", "role_missing"),
        ("/roles", (200, 200, 200, 200), None, None),
        ("/valid", (200, 200, 200, 200), None, None),
    ])
    def test_matrix(self, server, path, statuses, code, reason):
        for client, status in zip(self.clients(server), statuses):
            response = client.get(path)
            assert response.status == status, repr(response)
            if status == 200:
                passed(response)
            else:
                refused(server, response, 403, code, reason)
                assert response.nextnonce

    def test_none(self, server):
        """RequireNone around a capability grants access to clients without it."""
        server.log.allow("AH0163|reason=")
        assert [client.get("/neither").status for client in self.clients(server)] == [200, 403, 403, 200]

    @pytest.mark.parametrize("path", ["/read", "/update", "/both", "/someone", "/auditor", "/valid", "/methods"])
    def test_anonymous(self, server, path):
        refused(server, server.get(path), 401, "credentials_required", "credentials_missing", level="info")

    def test_refusal_names_the_rule(self, server):
        response = Client(server).granted("read").get("/update")
        line = refused(server, response, 403, "insufficient_capability", "capability_missing")
        assert f'participant={UID}' in line and 'location=/update' in line and 'rule=capability%20update' in line

    def test_app_does_not_run(self, server):
        before = server.journal()
        refused(server, Client(server).granted("read").get("/update"), 403, "insufficient_capability",
                "capability_missing")
        assert server.journal() == before

    def test_require_user(self, server):
        """The participant is the user for httpd's own providers, which have their own error pages."""
        server.log.allow("AH0163|AH01663|reason=")
        mine, _, _, other = self.clients(server)
        passed(mine.get("/user"))
        assert other.get("/user").status in (401, 403)

    @pytest.mark.parametrize("path, wanted, code, reason", [
        ("/expression", "read", "insufficient_capability", "capability_missing"),
        ("/expr-participant", UID, "participant_not_allowed", "participant_not_listed"),
        ("/expr-role", "consumer", "insufficient_role", "role_missing"),
    ])
    def test_expression(self, server, path, wanted, code, reason):
        client = Client(server).granted("read")
        passed(client.get(path, {"X-Wanted": wanted}))
        refused(server, client.get(path, {"X-Wanted": "other"}), 403, code, reason)
        refused(server, client.get(path), 403, code, reason)

    @pytest.mark.parametrize("method, capability, status", [
        ("GET", "read", 200), ("HEAD", "read", 200), ("POST", "read", 403), ("POST", "update", 200),
        ("GET", "update", 200), ("DELETE", "read", 403)])
    def test_method_to_capability(self, server, method, capability, status):
        server.log.allow("reason=capability_missing|AH01631")
        client = Client(server).granted(capability)
        passed(client.send(method, "/methods", body=b"" if method == "POST" else None), status)

    def test_names_are_compared_whole(self, server):
        server.log.allow("reason=capability_missing|AH01631")
        client = Client(server).granted("read")
        for wanted in ("rea", "READ", "reads", "read update"):
            assert client.get("/expression", {"X-Wanted": wanted}).status == 403, wanted
        assert client.get("/expression", {"X-Wanted": "read"}).status == 200


class TestAny:
    """Rules that need no authentication: no challenge in a 200, but credentials are checked."""

    site = Site(participants=PEOPLE, config=ENDPOINT + "".join([
        script("all", "<RequireAny>\nRequire all granted\nRequire capability read\n</RequireAny>"),
        script("open", "Require all granted"),
        script("ip", "<RequireAny>\nRequire ip 127.0.0.1\nRequire capability read\n</RequireAny>"),
        script("far", "<RequireAny>\nRequire ip 192.0.2.1\nRequire capability read\n</RequireAny>"),
        script("denied", "Require all denied"),
        script("satisfied", "<RequireAll>\nRequire ip 127.0.0.1\nRequire capability update\n</RequireAll>"),
        script("barred", "<RequireAll>\nRequire ip 192.0.2.1\nRequire capability read\n</RequireAll>"),
    ]))

    @pytest.mark.parametrize("path", ["/all", "/open", "/ip"])
    def test_anonymous_passes_without_a_challenge(self, server, path):
        response = server.get(path)
        shown = Shown(response)
        assert response.header("WWW-Authenticate") is None and response.nextnonce is None
        assert "REMOTE_USER" not in shown.env and "SAUTH_PARTICIPANT" not in shown.env

    @pytest.mark.parametrize("path", ["/all", "/open", "/ip"])
    def test_credentials_are_checked(self, server, path):
        client = Client(server).granted()
        assert Shown(passed(client.get(path))).env["SAUTH_PARTICIPANT"] == UID
        refused(server, server.get(path, {"Authorization": client.header(secret=OTHER_SECRET)}), 401,
                "invalid_credentials", "mac_mismatch")
        refused(server, server.get(path, {"Authorization": "SAuth x"}), 401, "invalid_credentials",
                "authorization_malformed")
        refused(server, server.get(path, {"Authorization": "Basic dXNlcjpwYXNz"}), 401, "invalid_credentials",
                "scheme_not_accepted")

    @pytest.mark.parametrize("path", ["/all", "/open", "/ip"])
    def test_nonce_is_used_up(self, server, path):
        client = Client(server).granted()
        value = client.header()
        passed(server.get(path, {"Authorization": value}))
        refused(server, server.get(path, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")

    def test_from_elsewhere(self, server):
        refused(server, server.get("/far"), 401, "credentials_required", "credentials_missing", level="info")
        passed(Client(server).granted().get("/far"))

    @pytest.mark.parametrize("path", ["/denied", "/barred"])
    def test_denied_for_everybody(self, server, path):
        """Denied by a rule that no credentials can satisfy: 403."""
        server.log.allow("AH01630|reason=")
        assert Client(server).granted().get(path).status == 403
        response = server.get(path)
        assert response.status in (401, 403)

    def test_all_of_address_and_capability(self, server):
        refused(server, server.get("/satisfied"), 401, "credentials_required", "credentials_missing", level="info")
        passed(Client(server).granted("update").get("/satisfied"))
        refused(server, Client(server).granted("read").get("/satisfied"), 403, "insufficient_capability",
                "capability_missing")


class TestScope:
    """Grants are valid only at locations with the scope of their endpoint."""

    site = Site(participants=PEOPLE, config="".join(
        f'<Location "/{tenant}/sauth">\nSetHandler sauth\nSAuthScope {tenant}\nRequire all granted\n</Location>\n'
        + script(f"{tenant}-app", "Require capability read", f"SAuthScope {tenant}") for tenant in ("red", "blue"))
        + ENDPOINT + script("shared", "Require capability read")
        + script("red-open", "Require all granted", "SAuthScope red"))

    @pytest.mark.parametrize("at, opens", [("/red/sauth", "/red-app"), ("/blue/sauth", "/blue-app"),
                                           ("/sauth", "/shared")])
    def test_apart(self, server, at, opens):
        client = Client(server, at=at).granted()
        for path in ("/red-app", "/blue-app", "/shared"):
            response = client.get(path, nonce=client.generate())
            if path == opens:
                passed(response)
            else:
                refused(server, response, 403, "wrong_scope", "scope_mismatch")

    def test_refused_where_no_rule_needs_it(self, server):
        refused(server, Client(server, at="/blue/sauth").granted().get("/red-open"), 403, "wrong_scope",
                "scope_mismatch")

    def test_refresh_at_another_tenants_endpoint(self, server):
        client = Client(server, at="/red/sauth").granted()
        client.at = "/blue/sauth"
        response = client.refresh()
        assert response.status == 403, repr(response)
        server.log.expect("sauth: refused reason=(scope_mismatch|grant_unknown|grant_not_owned)")


class TestObserve:
    """SAuthMode observe: refusals are logged, and the request continues."""

    site = Site(participants=PEOPLE, config=ENDPOINT
                + script("watched", "Require capability update", "SAuthMode observe")
                + script("guarded", "Require capability update", "SAuthMode enforce"))

    def would(self, server, response, reason):
        assert response.status == 200, repr(response)
        assert response.header("WWW-Authenticate") is None
        pattern = rf"sauth: would refuse reason={reason}( |$)"
        server.log.allow(pattern)
        server.log.wait(pattern)
        return Shown(response)

    def test_anonymous(self, server):
        shown = self.would(server, server.get("/watched"), "credentials_missing")
        assert "SAUTH_PARTICIPANT" not in shown.env and "REMOTE_USER" not in shown.env

    def test_wrong_secret(self, server, client):
        response = server.get("/watched", {"Authorization": client.header(secret=OTHER_SECRET)})
        shown = self.would(server, response, "mac_mismatch")
        assert "SAUTH_PARTICIPANT" not in shown.env

    def test_malformed(self, server):
        self.would(server, server.get("/watched", {"Authorization": "SAuth x"}), "authorization_malformed")

    def test_capability_missing(self, server, client):
        shown = self.would(server, client.get("/watched"), "capability_missing")
        assert shown.env["SAUTH_PARTICIPANT"] == UID

    def test_replayed(self, server):
        client = Client(server).granted("update")
        value = client.header()
        passed(server.get("/watched", {"Authorization": value}))
        self.would(server, server.get("/watched", {"Authorization": value}), "nonce_replayed")

    def test_nothing_to_refuse(self, server):
        passed(Client(server).granted("update").get("/watched"))
        assert not server.log.matching("would refuse")

    def test_credentials_still_do_not_reach_the_app(self, server, client):
        response = server.get("/watched", {"Authorization": client.header(secret=OTHER_SECRET)})
        self.would(server, response, "mac_mismatch")
        assert b"AUTHORIZATION" not in response.body and client.token.encode() not in response.body

    def test_enforce_beside(self, server, client):
        refused(server, server.get("/guarded"), 401, "credentials_required", "credentials_missing", level="info")
        refused(server, client.get("/guarded"), 403, "insufficient_capability", "capability_missing")


class TestMigration:
    """Basic and SAuth at one location, by the client's scheme."""

    site = Site(participants=PEOPLE, modules=("authn_file", "auth_basic", "authz_user"), config=ENDPOINT + """
ScriptAlias "/both" "@ROOT@/cgi-bin/show"
<Location "/both">
    AuthName "both"
    <If "%{HTTP:Authorization} =~ /^SAuth /">
        AuthType SAuth
        Require capability read
    </If>
    <Else>
        AuthType Basic
        AuthBasicProvider file
        AuthUserFile "@ROOT@/htdocs/.htpasswd"
        Require valid-user
    </Else>
</Location>
""", files={".htpasswd": "user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"})

    def test_both(self, server, client):
        assert Shown(passed(client.get("/both"))).env["REMOTE_USER"] == UID
        shown = Shown(server.get("/both", {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}))
        assert shown.env["REMOTE_USER"] == "user" and "SAUTH_PARTICIPANT" not in shown.env

    def test_neither(self, server):
        response = server.get("/both")
        assert response.status == 401 and response.header("WWW-Authenticate") == 'Basic realm="both"'

    def test_bad_sauth(self, server):
        response = server.get("/both", {"Authorization": "SAuth x"})
        refused(server, response, 401, "invalid_credentials", "authorization_malformed")


class TestEndpointReachable:
    """The grant endpoint below a front controller and below a denied document root."""

    site = Site(modules=("rewrite",), participants=PEOPLE, config="""
<Location "/">
    Require all denied
</Location>
""" + ENDPOINT + """
<Location "/app">
    Require all granted
</Location>
<Location "/app/sauth">
    SetHandler sauth
    Require all granted
</Location>
<Location "/open">
    Require all granted
</Location>
""", files={".htaccess": "RewriteEngine On\nRewriteRule !^index.html index.html [L]\n",
            "app/.htaccess": "RewriteEngine On\nRewriteRule !^front front.html [L]\n", "app/front.html": "front\n",
            "secret/.htaccess": "Require all denied\n"})

    @pytest.mark.parametrize("at", ["/sauth", "/app/sauth"])
    def test_grant(self, server, at):
        client = Client(server, at=at).granted()
        assert client.refresh().status == 200
        assert len(client.generate()) == 22

    def test_the_rest_is_still_denied(self, server):
        server.log.expect("AH01630")
        assert server.get("/index.html").status == 403

    def test_front_controller_still_works(self, server):
        assert server.get("/app/some/where").text == "front\n"

    def test_unknown_endpoint_is_ours(self, server):
        refused(server, server.get("/app/sauth/other"), 404, "not_found", "endpoint_unknown")


class TestEndpointGuarded:
    """Rules of the endpoint's own Location apply."""

    site = Site(participants=PEOPLE, config='<Location "/sauth">\nSetHandler sauth\nRequire ip 192.0.2.1\n</Location>\n')

    def test_denied(self, server):
        server.log.expect("AH01630")
        assert Client(server).ask().status == 403


class TestTwoHosts:
    """One participant table, one grant store, two virtual hosts."""

    site = Site(participants=PEOPLE, config="".join(
        f'<VirtualHost 127.0.0.1:@PORT@>\nServerName {name}\nDocumentRoot "@ROOT@/htdocs"\n{BASIC}</VirtualHost>\n'
        for name in ("one.example.org", "two.example.org")))

    def test_both(self, server, client):
        for host in ("one.example.org", "two.example.org"):
            passed(client.get(PAGE, {"Host": host}))

    def test_audience_is_the_virtual_hosts(self, server):
        from urllib.parse import urlencode

        client = Client(server)
        aud = "http://two.example.org:%d/sauth/request_access" % server.port
        server.log.allow("reason=audience_mismatch")
        statuses = [server.post("/sauth/request_access", urlencode(client.form(client.body(aud=aud))).encode(),
                                {**FORM, "Host": host}).status for host in ("one.example.org", "two.example.org")]
        assert statuses == [403, 200]


class TestRealm:
    """AuthName may have characters that need escaping in a quoted string."""

    site = Site(config=ENDPOINT + '<Location "/files">\nAuthType SAuth\nAuthName "a \\"quoted\\" realm"\n'
                "Require capability read\n</Location>\n")

    def test_escaped(self, server):
        response = server.get(PAGE)
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        assert response.challenge["realm"] == 'a \\"quoted\\" realm'
