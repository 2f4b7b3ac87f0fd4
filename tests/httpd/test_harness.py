"""The harness itself, on httpd without our modules."""
import hashlib
import hmac
import os
import re
import time

import pytest

from harness import Connection, SECRET, Server, Shown, Site, Unstartable, b64url
from harness.sauth import authorization, from_b64url, hexmac


PLAIN = {"ours": (), "participants": None}


class TestClient:
    """The SAuth client computes the values of the protocol's description."""

    token = "2E82CF26-E5EE-11F1-8470-78AEB6B8DC6E"
    nonce = "JY55RaYo5GfMD6r8fxNr7A"

    def test_access_request(self):
        body = '{"access_for":["read"],"token_lifespan":72000,"uid":"http://www.example.org"}'
        assert hexmac(SECRET, "1300000000 " + body, "sha1") == "69cae5897515d295831f4f9891bdae0d168a4185"

    @pytest.mark.parametrize("raw, mac", [(False, "4601352554fe93f4321fa9edf5e461b105eaf901"),
                                          (True, "9a32439934f74319473e90ef1da9be430b0dca1e")])
    def test_authorization(self, raw, mac):
        value = authorization(SECRET, self.token, self.nonce, "sha1", raw)
        response, nonce = re.fullmatch(r'SAuth response="([\w-]+)",nonce="([\w-]+)"', value).groups()
        assert from_b64url(response).decode() == f"{self.token}:{mac}"
        n = from_b64url(nonce)
        assert n == (from_b64url(self.nonce) if raw else self.nonce.encode())
        assert hmac.new(SECRET, self.token.encode() + b" " + n, hashlib.sha1).hexdigest() == mac

    def test_b64url_has_no_padding(self):
        assert b64url(b"\xff\xfe\xfd\xfc") == "__79_A"


class TestPlain:
    """Everything that tests need of the server, without our modules."""

    site = Site(**PLAIN, modules=("include", "rewrite"), php_fcgi=True,
                config='AddOutputFilter INCLUDES .shtml\nErrorDocument 404 /cgi-bin/show?found=no\n',
                files={"page.shtml": '<!--#echo var="DOCUMENT_URI" --><!--#include virtual="/cgi-bin/show?from=ssi" -->',
                       "app/.htaccess": "RewriteEngine On\nRewriteRule !^front front.shtml [L]\n",
                       "app/front.shtml": '<!--#echo var="REDIRECT_URL" -->'})

    def test_cgi(self, server):
        shown = Shown(server.post("/cgi-bin/show/path?x=1", b"the body", {"X-Seen": "yes"}))
        assert shown.env["HTTP_X_SEEN"] == "yes" and shown.env["PATH_INFO"] == "/path"
        assert shown.body == b"the body"
        assert server.journal()[-1] == "/cgi-bin/show POST"

    def test_cgi_status_header_and_location(self, server):
        assert server.get("/cgi-bin/show?status=503").status == 503
        assert server.get("/cgi-bin/show?header=X-A:+b").header("X-A") == "b"
        shown = Shown(server.get("/cgi-bin/show?location=/cgi-bin/other"))
        assert shown.env["SCRIPT_NAME"] == "/cgi-bin/other" and shown.env["REDIRECT_URL"] == "/cgi-bin/show"

    def test_php_fcgi(self, server):
        shown = Shown(server.post("/php/orders.php?x=1", b"the body", {"X-Seen": "yes"}))
        assert shown.headers["X-Seen"] == "yes" and shown.body == b"the body"
        assert shown.env["QUERY_STRING"] == "x=1"

    def test_ssi_includes_a_cgi(self, server):
        text = server.get("/page.shtml").text
        assert text.startswith("/page.shtml") and "QUERY_STRING=from=ssi" in text

    def test_error_document(self, server):
        response = server.get("/nowhere")
        assert response.status == 404 and b"REDIRECT_STATUS=404" in response.body

    def test_front_controller(self, server):
        assert server.get("/app/some/where").text == "/app/some/where"

    def test_document_root(self, server):
        assert server.get("/").text == "home\n"

    def test_interim_response(self, server):
        with Connection(server.port) as connection:
            connection.send(server.message("POST", "/cgi-bin/show", {"Expect": "100-continue", "Content-Length": "2"}))
            assert connection.interim()[0] == 100
            connection.send(b"ab")
            assert Shown(connection.response()).body == b"ab"

    def test_keep_alive_and_head(self, server):
        with Connection(server.port) as connection:
            connection.send(server.message("HEAD", "/files/plain.txt", close=False))
            response = connection.response("HEAD")
            assert response.status == 200 and response.body == b"" and response.header("Content-Length") == "6"
            connection.send(server.message("GET", "/files/plain.txt"))
            assert connection.response().text == "plain\n"

    def test_graceful_restart_takes_the_new_configuration(self, server):
        server.configure(server.site.config + "Alias /renamed @ROOT@/htdocs/files\n")
        server.graceful()
        assert server.get("/renamed/plain.txt").status == 200

    def test_killed_child_is_replaced(self, server):
        before = len(server.served_by())
        server.get("/files/plain.txt")
        deadline = time.monotonic() + 20
        while len(server.served_by()) == before and time.monotonic() < deadline:
            time.sleep(0.01)  # the line is written after the response
        pid = server.served_by()[-1]
        server.kill(pid)
        assert pid not in server.children()
        assert server.get("/files/plain.txt").status == 200

    def test_httpd_t(self, server):
        assert server.check()[0]
        server.configure("NoSuchDirective On\n")
        accepted, said = server.check()
        assert not accepted and "NoSuchDirective" in said
        server.configure(server.site.config)


class TestPhpAction:
    site = Site(**PLAIN, php_action=True)

    def test_php_by_action(self, server):
        shown = Shown(server.post("/php/orders.php?x=1", b"the body", {"X-Seen": "yes"}))
        assert shown.headers["X-Seen"] == "yes" and shown.body == b"the body"
        assert shown.env["REDIRECT_URL"] == "/php/orders.php"


class TestBackend:
    site = Site(**PLAIN, backend=Site(**PLAIN), config='ProxyPass "/far/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n')

    def test_proxied(self, server):
        assert Shown(server.get("/far/show", {"X-Seen": "yes"})).env["HTTP_X_SEEN"] == "yes"


@pytest.mark.parametrize("mpm", ["worker", "prefork"])
def test_mpm(make_server, mpm):
    server = make_server(Site(**PLAIN, mpm=mpm))
    assert Shown(server.post("/cgi-bin/show", b"x")).body == b"x"


def test_bad_configuration_does_not_start():
    server = Server(Site(**PLAIN, config="NoSuchDirective On\n"))
    with pytest.raises(Unstartable, match="NoSuchDirective"):
        server.start()
    server.close()


class TestAccount:
    """What fails a test: unannounced warnings and errors, announced lines that are missing, secrets in logs."""

    site = Site(**PLAIN)

    def test_unannounced(self, server):
        assert server.get("/cgi-bin/absent").status == 404
        wrong = server.log.settle()
        assert len(wrong) == 1 and "logged, but not announced" in wrong[0] and "AH01264" in wrong[0]

    def test_announced(self, server):
        server.log.expect("AH01264")
        assert server.get("/cgi-bin/absent").status == 404
        assert server.log.settle() == []

    def test_announced_in_vain(self, server):
        server.log.expect("AH99999")
        assert server.log.settle() == ["announced, but not logged: AH99999"]

    def test_secret_in_a_log(self, server):
        server.guard("thisisnosecretatall")
        assert server.leaks() == []
        server.get("/?q=thisisnosecretatall")
        deadline = time.monotonic() + 5  # the access log is written after the response
        while not server.leaks() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.leaks() == [("access.log", "thisisnosecretatall")]
        server.canaries.clear()

    def test_close_leaves_nothing(self):
        server = Server(Site(**PLAIN)).start()
        pids = [server.process.pid, *server.children()]
        assert server.close() == []
        assert not server.root.exists()
        assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
