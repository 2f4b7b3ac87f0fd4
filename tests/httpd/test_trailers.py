"""MergeTrailers On: trailers arrive after all decisions, and must not change what they were based on."""
import pytest

from harness import ENDPOINT, Shown, Site, UID, digest, location
from harness.signed import BODY, ED, JSON, PEOPLE
from harness.signer import COVER, Signer

FORGED = (b"SAuth-Participant: admin\r\nSAuth_Participant: admin\r\nSAuth-Capabilities: admin\r\nISign-Result: verified\r\n"
          b"ISign-Participant: admin\r\nX-Order: 99\r\nX-Added: 1\r\nAuthorization: Basic YTpi\r\nContent-Type: text/evil\r\n"
          b"Content-Length: 1\r\nConnection: SAuth-Participant\r\n")

PHP = """
MergeTrailers On
Alias "/sealed" "@ROOT@/htdocs/php"
Alias "/streamed" "@ROOT@/htdocs/php"
Alias "/spooled" "@ROOT@/htdocs/php"
Alias "/open" "@ROOT@/htdocs/php"
ScriptAlias "/cgi" "@ROOT@/cgi-bin/show"
ScriptAlias "/opencgi" "@ROOT@/cgi-bin/show"
""" + ENDPOINT + "".join(location(f"/{name}", "Require capability read", "SAuthPass headers\n" + more) for name, more in (
    ("sealed", ""), ("streamed", "ISign digest\nISignBody stream"), ("spooled", "ISign digest"), ("cgi", "")))


class TestMerged:
    site = Site(config=PHP, php_fcgi=True, participants=PEOPLE)

    def send(self, server, target, headers, body=BODY, trailers=FORGED):
        with server.connect() as connection:
            connection.send(server.message("POST", target, list(headers) + [("Transfer-Encoding", "chunked")]) +
                            b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailers))
            return connection.response("POST")

    @pytest.mark.parametrize("target", ["/sealed/orders.php", "/streamed/orders.php", "/spooled/orders.php", "/cgi"])
    def test_identity(self, server, client, target):
        """A backend gets our headers about the client, and the request's own headers, from the header section only."""
        value = client.header()
        headers = [("Authorization", value), ("Content-Digest", digest(BODY)), ("X-Order", "17"), *JSON.items()]
        shown = Shown(self.send(server, target, headers))
        assert shown.body == BODY
        assert shown.env["HTTP_SAUTH_PARTICIPANT"] == UID and shown.env["HTTP_SAUTH_CAPABILITIES"] == "read"
        assert shown.env["HTTP_X_ORDER"] == "17" and shown.env["CONTENT_TYPE"] == "application/json"
        assert "HTTP_X_ADDED" not in shown.env and "HTTP_AUTHORIZATION" not in shown.env
        assert "admin" not in repr(shown.env) and "PHP_AUTH_USER" not in shown.env

    @pytest.mark.parametrize("body", ["stream", "spool"])
    def test_signed_fields(self, make_server, body):
        """A signed field keeps its signed value."""
        server = make_server(Site(participants=PEOPLE, php_fcgi=True, config="MergeTrailers On\n<Location /php>\nISign digest\n"
                                  f"Require signed x-order\nISignBody {body}\n</Location>\n"))
        signer = Signer(server, ED, UID + "#ed25519")
        pairs = signer.headers("POST", "/php/orders.php", [("X-Order", "17"), *JSON.items()], BODY,
                               cover=COVER + ("content-digest", "content-type", "x-order"))
        shown = Shown(self.send(server, "/php/orders.php", pairs))
        assert shown.body == BODY and shown.env["HTTP_X_ORDER"] == "17" and "HTTP_X_ADDED" not in shown.env
        assert "admin" not in repr(shown.env)

    @pytest.mark.parametrize("target", ["/open/orders.php"])
    def test_elsewhere(self, server, target):
        """At unprotected locations trailers are merged as configured, except for the names that only we write."""
        shown = Shown(self.send(server, target, JSON.items(), trailers=FORGED.replace(b"Content-Length: 1\r\n", b"")))
        assert shown.body == BODY and shown.env["HTTP_X_ADDED"] == "1"
        names = " ".join(shown.env).upper()
        assert "SAUTH" not in names and "ISIGN" not in names


class TestProxied:
    """A backend behind mod_proxy_http."""

    site = Site(config="MergeTrailers On\n" + ENDPOINT + 'ProxyPass "/far" "http://127.0.0.1:@BACKEND@/cgi-bin"\n'
                + location("/far", "Require capability read", "SAuthPass headers"),
                backend=Site(ours=(), participants=None))

    def test_identity(self, server, client):
        send = TestMerged().send
        shown = Shown(send(server, "/far/show", [("Authorization", client.header()), ("X-Order", "17")]))
        assert shown.body == BODY and shown.env["HTTP_SAUTH_PARTICIPANT"] == UID and shown.env["HTTP_X_ORDER"] == "17"
        assert "admin" not in repr(shown.env)
