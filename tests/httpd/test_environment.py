"""What applications see, and what they never see, for each way in which they can be run."""
import re
import time

import pytest

from harness import BASIC, Client, ENDPOINT, Shown, Site, UID, location, participant, passed, refused, script
from harness.apps import environment


SPOOFED = [("SAuth-Participant", "evil"), ("SAuth-Capabilities", "evil"), ("SAuth-Scheme", "evil"),
           ("SAuth-Grant", "evil"), ("SAuth-Expires", "evil"), ("SAuth-Whatever", "evil"), ("sauth-participant", "evil"),
           ("SAUTH-PARTICIPANT", "evil"), ("ISign-Result", "evil"), ("ISign-Participant", "evil"),
           ("ISign-Keyid", "evil"), ("SAuth_Participant", "evil"), ("SAUTH_CAPABILITIES", "evil"),
           ("ISign_Result", "evil"), ("isign_result", "evil")]


def assert_sauth(env, prefix=""):
    """Asserts that the environment has the complete identity."""
    assert env[f"{prefix}SAUTH_PARTICIPANT"] == UID
    assert env[f"{prefix}SAUTH_CAPABILITIES"] == "read"
    assert env[f"{prefix}SAUTH_SCHEME"] == "SAuth"
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", env[f"{prefix}SAUTH_GRANT"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", env[f"{prefix}SAUTH_EXPIRES"])


def assert_nothing_secret(client, raw, value):
    """Asserts that no variable contains the token or the header value."""
    credentials = value.split(" ", 1)[1]
    parts = {credentials[at:at + 16] for at in range(len(credentials) - 15)}
    for secret in {client.token, value} | parts:
        assert secret.encode() not in raw, secret
    assert b"AUTHORIZATION" not in raw.replace(b"SAuthPassAuthorization", b""), raw
    assert b'"Authorization"' not in raw


class Ways:
    """Requests to applications; subclasses add servers."""

    def call(self, server, target, method="GET", headers=(), body=None):
        client = Client(server).granted()
        value = client.header()
        response = client.send(method, target, headers, body, authorization=value)
        passed(response)
        assert_nothing_secret(client, response.body, value)
        return response


class TestCgi(Ways):
    site = Site(modules=("rewrite", "include"), config=ENDPOINT + "".join([
        location("/cgi-bin/orders", "Require capability read"),
        location("/app", "Require capability read"),
        location("/page.shtml", "Require capability read"),
        location("/errors", "Require capability read"),
    ]) + """
AddOutputFilter INCLUDES .shtml
ErrorDocument 404 /cgi-bin/show
ErrorDocument 403 /cgi-bin/show
SetEnvIf Authorization "(.+)" COPIED=$1
SetEnvIf Authorization "^SAuth (.+)" BEHIND_THE_SCHEME=$1
SetEnvIf Authorization '^[^"]+"([^"]+)' FIRST_VALUE=$1
SetEnvIf Authorization "(.+)$" AMONG_OTHERS=x;$1;y
SetEnvIf Authorization '^[^"]+"([^"]+)' PART_AMONG_OTHERS=tok-$1
SetEnvIf Authorization 'response=".....(.{16})' SHORT_PART_AMONG_OTHERS=a,$1,b
SetEnvIf Authorization 'response="(.....)' TOO_SHORT_FOR_A_PART=$1-and-words-that-are-no-part-of-it
<Location "/cgi-bin">
    CGIPassAuth On
</Location>
<Location "/forbidden">
    AuthType SAuth
    AuthName "forbidden"
    Require capability update
</Location>
""", files={
        "app/.htaccess": "RewriteEngine On\nRewriteRule . - [E=AUTHZ:%{HTTP:Authorization}]\n"
                         "RewriteCond %{REQUEST_URI} !^/cgi-bin\nRewriteRule .* /cgi-bin/show [L]\n",
        "page.shtml": '<!--#printenv -->\n<!--#include virtual="/cgi-bin/show?from=ssi" -->'})

    def test_cgi(self, server):
        shown = Shown(self.call(server, "/cgi-bin/orders", "POST", body=b"hello"))
        assert_sauth(shown.env)
        assert shown.env["TOO_SHORT_FOR_A_PART"].endswith("-and-words-that-are-no-part-of-it")
        assert shown.env["REMOTE_USER"] == UID and shown.env["AUTH_TYPE"] == "SAuth" and shown.body == b"hello"

    def test_grant_id_is_neither_token_nor_nonce(self, server):
        client = Client(server).granted()
        first = Shown(client.get("/cgi-bin/orders")).env["SAUTH_GRANT"]
        assert Shown(client.get("/cgi-bin/orders")).env["SAUTH_GRANT"] == first
        assert Shown(Client(server).granted().get("/cgi-bin/orders")).env["SAUTH_GRANT"] != first

    def test_expires_is_the_timeout(self, server):
        client = Client(server)
        grant = client.ask().json
        assert Shown(client.get("/cgi-bin/orders")).env["SAUTH_EXPIRES"] == grant["timeout"]

    def test_several_capabilities(self, server):
        env = Shown(Client(server).granted("update", "read").get("/cgi-bin/orders")).env
        assert sorted(env["SAUTH_CAPABILITIES"].split(" ")) == ["read", "update"]

    def test_front_controller(self, server):
        shown = Shown(self.call(server, "/app/some/order"))
        assert_sauth(shown.env)
        assert shown.env["REMOTE_USER"] == UID and shown.env["SCRIPT_NAME"] == "/cgi-bin/show"

    def test_internal_redirect_of_a_cgi(self, server):
        shown = Shown(self.call(server, "/cgi-bin/orders?location=/cgi-bin/show"))
        assert_sauth(shown.env)
        assert shown.env["REMOTE_USER"] == UID

    def test_internal_redirect_to_a_protected_location(self, server):
        """An external request uses one nonce, whatever internal requests it causes."""
        shown = Shown(self.call(server, "/cgi-bin/orders?location=/cgi-bin/orders"))
        assert_sauth(shown.env)

    def test_internal_redirect_to_a_location_that_asks_for_more(self, server):
        client = Client(server).granted()
        server.log.allow("reason=capability_missing|AH01631")
        response = client.get("/cgi-bin/orders?location=/forbidden")
        assert response.status == 403, repr(response)

    def test_ssi(self, server):
        response = self.call(server, "/page.shtml")
        env, _ = environment(response.body)
        assert response.text.count(f"SAUTH_PARTICIPANT={UID}\n") == 2  # the page's own, and the included app's
        assert_sauth(env)
        assert env["QUERY_STRING"] == "from=ssi"

    def test_error_document(self, server):
        client = Client(server).granted()
        value = client.header()
        response = client.get("/errors/none", authorization=value)
        assert response.status == 404 and response.nextnonce, repr(response)
        assert_nothing_secret(client, response.body, value)
        env, _ = environment(response.body)
        assert_sauth(env)
        assert env["REDIRECT_STATUS"] == "404"

    def test_error_document_of_a_denied_request(self, server):
        client = Client(server).granted()
        value = client.header()
        response = client.get("/forbidden", authorization=value)
        assert response.status == 403 and response.nextnonce
        server.log.expect("reason=capability_missing")
        server.log.allow("AH01631")
        assert_nothing_secret(client, response.body, value)
        env, _ = environment(response.body)
        assert env["REDIRECT_STATUS"] == "403" and env["SAUTH_PARTICIPANT"] == UID

    def test_error_document_of_an_unauthenticated_client(self, server):
        env, _ = environment(server.get("/nowhere", SPOOFED).body)
        assert not [name for name in env if "SAUTH" in name or "ISIGN" in name]

    def test_redirects_leave_no_second_identity(self, server):
        """An application could take REDIRECT_SAUTH_* for an identity."""
        shown = Shown(self.call(server, "/app/x", headers=SPOOFED))
        assert not [name for name in shown.env if re.match(r"(REDIRECT_)+(SAUTH|ISIGN|HTTP)_", name)]
        assert b"evil" not in shown.raw

    @pytest.mark.parametrize("target", ["/cgi-bin/orders", "/cgi-bin/show", "/cgi-bin/show?location=/cgi-bin/other"])
    def test_spoofed(self, server, target):
        if "orders" in target:
            response = self.call(server, target, headers=SPOOFED)
        else:
            response = server.get(target, SPOOFED)
        shown = Shown(response)
        assert b"evil" not in shown.raw
        assert not [name for name in shown.env if re.match(r"HTTP_(SAUTH|ISIGN)_", name)]

    def test_anonymous_sees_no_identity(self, server):
        env = Shown(server.get("/cgi-bin/show")).env
        assert not [name for name in env if "SAUTH" in name] and "REMOTE_USER" not in env

    def test_other_schemes_are_not_ours(self, server):
        """An unprotected location keeps the Authorization of another scheme."""
        shown = Shown(server.get("/cgi-bin/show", {"Authorization": "Basic dXNlcjpwYXNz"}))
        assert shown.env["HTTP_AUTHORIZATION"] == "Basic dXNlcjpwYXNz"

    def test_uses_one_nonce(self, server):
        """Sub-requests and internal redirects use no nonces: each call uses one and gets one."""
        client = Client(server).granted()
        for target in ("/page.shtml", "/cgi-bin/orders?location=/cgi-bin/orders", "/app/x", "/cgi-bin/orders"):
            value = client.header()
            passed(server_response := client.get(target, authorization=value))
            assert len(client.nonces) == 1 and server_response.nextnonce == client.nonces[0]
            refused(server, server.get(target, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")


class TestSubrequests:
    """An SSI page that includes protected resources several times."""

    site = Site(modules=("include",), config=ENDPOINT + """
AddOutputFilter INCLUDES .shtml
<Location "/pages">
    AuthType SAuth
    AuthName "pages"
    Require capability read
</Location>
<Location "/cgi-bin/orders">
    AuthType SAuth
    AuthName "orders"
    Require capability read
</Location>
<Location "/cgi-bin/other">
    AuthType SAuth
    AuthName "other"
    Require capability update
</Location>
""", files={"pages/many.shtml": '<!--#include virtual="/cgi-bin/orders?1" -->' * 3,
            "pages/mixed.shtml": '<!--#include virtual="/cgi-bin/orders?1" -->|<!--#include virtual="/cgi-bin/other" -->',
            "open.shtml": '<!--#include virtual="/cgi-bin/orders?1" -->'})

    def test_included_thrice(self, server):
        client = Client(server).granted()
        for _ in range(3):
            response = passed(client.get("/pages/many.shtml"))
            assert response.text.count(f"SAUTH_PARTICIPANT={UID}\n") == 3
            assert len(client.nonces) == 1

    def test_included_without_the_capability(self, server):
        client = Client(server).granted()
        server.log.expect("reason=capability_missing")
        server.log.allow("AH01631")
        server.log.allow("AH01374|unable to include")
        response = passed(client.get("/pages/mixed.shtml"))
        included, failed = response.text.split("|")[0], response.text.split("|")[-1]
        assert "SAUTH_PARTICIPANT" in included and "SAUTH_PARTICIPANT" not in failed

    def test_included_from_an_open_page(self, server):
        server.log.allow("AH01374|unable to include|reason=")
        before = server.journal()
        assert "SAUTH_PARTICIPANT" not in server.get("/open.shtml").text
        assert server.journal() == before


class TestPhpFcgi(Ways):
    site = Site(modules=("rewrite",), php_fcgi=True, config=ENDPOINT + location("/php", "Require capability read") + """
SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1
SetEnvIf Authorization "(.+)" COPIED=$1
<Directory "@ROOT@/htdocs/php">
    CGIPassAuth On
</Directory>
""", files={"php/app/.htaccess": "RewriteEngine On\nRewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]\n"
                                 "RewriteRule .* /php/index.php [L]\n"})

    @pytest.mark.parametrize("target", ["/php/orders.php", "/php/app/some/order"])
    def test_php(self, server, target):
        shown = Shown(self.call(server, target, "POST", SPOOFED, b"hello"))
        assert_sauth(shown.env)
        assert shown.env["REMOTE_USER"] == UID
        assert not [name for name in shown.headers if re.match(r"(?i)authorization|sauth|isign", name)]
        assert b"evil" not in shown.raw

    def test_body(self, server):
        assert Shown(self.call(server, "/php/orders.php", "POST", body=b"hello")).body == b"hello"


class TestPhpAction(Ways):
    site = Site(modules=("rewrite",), php_action=True, config=ENDPOINT + location("/php", "Require capability read") + """
SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1
<Directory "/usr/bin">
    CGIPassAuth On
</Directory>
""", files={"php/app/.htaccess": "RewriteEngine On\nRewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]\n"
                                 "RewriteRule .* /php/index.php [L]\n"})

    @pytest.mark.parametrize("target", ["/php/orders.php", "/php/app/some/order"])
    def test_php(self, server, target):
        shown = Shown(self.call(server, target, "POST", SPOOFED, b"hello"))
        assert_sauth(shown.env)
        assert shown.env["REMOTE_USER"] == UID and shown.body in (b"hello", b"")
        assert not [name for name in shown.headers if re.match(r"(?i)authorization|sauth|isign", name)]
        assert b"evil" not in shown.raw

    def test_body(self, server):
        assert Shown(self.call(server, "/php/orders.php", "POST", body=b"hello")).body == b"hello"


class TestPassAuthorization:
    """SAuthPassAuthorization On: the application gets the header."""

    site = Site(php_fcgi=True, config=ENDPOINT + location("/cgi-bin/orders", "Require capability read",
                                                          "CGIPassAuth On\nSAuthPassAuthorization On")
                + location("/cgi-bin/other", "Require capability read", "CGIPassAuth On\nSAuthPassAuthorization Off"))

    def test_on(self, server, client):
        value = client.header()
        shown = Shown(passed(client.get("/cgi-bin/orders", authorization=value)))
        assert shown.env["HTTP_AUTHORIZATION"] == value
        assert_sauth(shown.env)

    def test_off(self, server, client):
        assert "HTTP_AUTHORIZATION" not in Shown(passed(client.get("/cgi-bin/other"))).env


class TestVariablesOfOthers:
    """In observe mode clients cannot have a variable removed by sending its value."""

    site = Site(config=ENDPOINT + location("/cgi-bin/orders", "Require capability read",
                                           "SAuthMode observe\nSetEnvIf Host . STAGE=production-and-locked"))

    @pytest.mark.parametrize("value", ["SAuth production-and-locked", 'SAuth token="production-and-locked"', "SAuth loc"])
    def test_named(self, server, value):
        server.log.expect("sauth: would refuse reason=")
        env = Shown(server.get("/cgi-bin/orders", [("Authorization", value)])).env
        assert env["STAGE"] == "production-and-locked" and "HTTP_AUTHORIZATION" not in env


FAR = Site(ours=(), participants=None,
           config='Header always set X-Underscore "expr=%{req:SAuth_Participant}%{req:ISign_Result}"\n')


class TestHeaders:
    """SAuthPass headers: a backend behind mod_proxy_http gets the client's identity in request headers."""

    site = Site(backend=FAR, config=ENDPOINT + 'ProxyPass "/far/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n'
                'ProxyPass "/open/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n'
                'ProxyPass "/env/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n'
                + location("/far", "Require capability read", "SAuthPass headers")
                + location("/env", "Require capability read", "SAuthPass env")
                + '<Location "/any">\nRequire all granted\n</Location>\n'
                + script("both", "Require capability read", "SAuthPass headers"))

    def test_backend_sees_the_client(self, server, client):
        value = client.header()
        response = passed(client.post("/far/show", b"hello", SPOOFED, authorization=value))
        shown = Shown(response)
        assert_sauth(shown.env, "HTTP_")
        assert shown.body == b"hello"
        assert_nothing_secret(client, response.body, value)
        assert b"evil" not in response.body and not response.header("X-Underscore")

    def test_header_of_the_backends_own(self, server, client):
        """The backend's response headers are not changed, except for its Authentication-Info."""
        assert passed(client.get("/far/show?header=X-A:+b")).header("X-A") == "b"

    def test_status_of_the_backend(self, server, client):
        passed(client.get("/far/show?status=404"), 404)
        passed(client.get("/far/show?status=500"), 500)

    def test_env_mode_sends_no_headers(self, server, client):
        shown = Shown(passed(client.get("/env/show", SPOOFED)))
        assert not [name for name in shown.env if "SAUTH" in name or "ISIGN" in name]

    def test_unprotected(self, server):
        response = server.get("/open/show", SPOOFED)
        assert b"evil" not in response.body and not response.header("X-Underscore")
        assert not [name for name in Shown(response).env if "SAUTH" in name or "ISIGN" in name]

    def test_harness_sees_underscores(self, server):
        """If it is sent to the backend directly, the header is there: the test above can fail."""
        assert server.backend.get("/cgi-bin/show", SPOOFED).header("X-Underscore") == "evilevil, evil"

    def test_cgi_beside(self, server, client):
        assert_sauth(Shown(passed(client.get("/both"))).env)


class TestPlainServerWithModules:
    """The modules are loaded but not used: spoofed names are removed, and nothing else is changed."""

    site = Site(participants=None, config="")

    def test_no_identity(self, server):
        server.log.allow("no RegistryFile: there are no participants")
        shown = Shown(server.get("/cgi-bin/show", SPOOFED + [("X-Seen", "yes")]))
        assert b"evil" not in shown.raw and shown.env["HTTP_X_SEEN"] == "yes"
        assert not [name for name in shown.env if "SAUTH" in name or "ISIGN" in name]


class TestAccessLog:
    """%{SAUTH_PARTICIPANT}e and %u name the client in the access log."""

    site = Site(config=BASIC)

    def test_named(self, server, client):
        passed(client.get("/files/plain.txt"))
        deadline = time.monotonic() + 5  # it is written after the response
        while f" 200 {UID} " not in (text := (server.root / "logs" / "access.log").read_text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.01)
        assert f'" {UID}\n' in text


class TestOddNames:
    """Ids and capabilities with unusual but valid characters."""

    uid = "x" + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~" * 3
    site = Site(config=ENDPOINT + location("/cgi-bin/orders", 'Require capability "a;b=c"'),
                participants=[participant(uid, ["a;b=c", "u" * 255])])

    def test_environment(self, server):
        client = Client(server, self.uid).granted("a;b=c", "u" * 255)
        env = Shown(passed(client.get("/cgi-bin/orders"))).env
        assert env["SAUTH_PARTICIPANT"] == self.uid
        assert sorted(env["SAUTH_CAPABILITIES"].split(" ")) == ["a;b=c", "u" * 255]
