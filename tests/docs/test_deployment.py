"""Browsers, load balancers and WebSockets as docs/guides/deployment.md configures them."""
import re
import socket
import threading

import pytest

from harness import BASIC, Client, ENDPOINT, Shown, Site, UID, passed
from harness.signed import ED, PEOPLE
from harness.signer import Signer
from harness.upgrade import echo, upgrade, wait_for_tunnels
from pages import block

PAGE = "docs/guides/deployment.md"
APP = "https://app.example"
ORDERS, PLAIN = "/cgi-bin/orders", "/files/plain.txt"
# Requests that need no preflight have one of these methods and these Content-Types (Fetch, 2.2.1 and 2.2.2).
SIMPLE_METHODS = {"GET", "HEAD", "POST"}
SIMPLE_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
NO_LIST = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}


def names(response, field):
    """The names in a list of the response, in lower case."""
    return {name.strip().lower() for name in (response.header(field) or "").split(",") if name.strip()}


class Browser:
    """What the Fetch standard allows a page of `origin`. Methods raise an error for what it does not allow."""

    def __init__(self, server, origin):
        self.server, self.origin = server, origin

    def preflight(self, method, target, unsafe):
        response = self.server.request("OPTIONS", target, {
            "Origin": self.origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(sorted(name.lower() for name in unsafe))})
        self.admit(response)
        if not 200 <= response.status < 300 or response.body:
            raise PermissionError(f"preflight: {response!r}")
        if method not in SIMPLE_METHODS and method.lower() not in names(response, "Access-Control-Allow-Methods"):
            raise PermissionError(f"method {method}")
        lacking = {name.lower() for name in unsafe} - names(response, "Access-Control-Allow-Headers")
        if lacking:
            raise PermissionError(f"fields {lacking}")

    def admit(self, response):
        if response.all("Access-Control-Allow-Origin") != [self.origin]:
            raise PermissionError(f"origin {self.origin}: {response!r}")

    def request(self, method, target, headers=(), body=None, **options):
        headers = dict(headers)
        unsafe = [name for name, value in headers.items()
                  if name.lower() != "content-type" or value not in SIMPLE_TYPES]
        if unsafe or method not in SIMPLE_METHODS:
            self.preflight(method, target, unsafe)
        response = self.server.request(method, target, {**headers, "Origin": self.origin}, body, **options)
        self.admit(response)
        seen = NO_LIST | names(response, "Access-Control-Expose-Headers")
        response.headers = [(name, value) for name, value in response.headers if name.lower() in seen]
        return response

    def post(self, target, body, headers=(), **options):
        return self.request("POST", target, headers, body, **options)

    def __getattr__(self, name):
        return getattr(self.server, name)  # for Client: clock, site, guard


class TestCors:
    site = Site(modules=("rewrite",), config=BASIC + block(PAGE, "Browsers and CORS", "apache"))

    def test_page_gets_a_grant_and_calls(self, server):
        client = Client(Browser(server, APP)).granted("read")
        for _ in range(2):  # each call with the nonce that the one before brought
            Shown(passed(client.send("GET", ORDERS)))
        assert Shown(passed(client.send("POST", ORDERS, {"Content-Type": "application/json"}, b"{}"))).body == b"{}"

    def test_page_reads_the_challenge(self, server):
        client = Client(Browser(server, APP)).granted("read")
        client.nonces.clear()
        server.log.allow("sauth: refused reason=credentials_missing")
        response = client.server.request("GET", ORDERS)
        assert response.status == 401
        passed(client.send("GET", ORDERS, nonce=response.challenge["nonce"]))

    @pytest.mark.parametrize("method, headers", [("DELETE", {}), ("GET", {"X-Other": "1"})])
    def test_what_is_not_listed_is_not_sent(self, server, method, headers):
        with pytest.raises(PermissionError):
            Browser(server, APP).request(method, ORDERS, headers)
        with pytest.raises(PermissionError):
            Browser(server, "https://other.example").request("GET", ORDERS)

    @pytest.mark.parametrize("target", [ORDERS, ORDERS + "/more", "/sauth/challenge"])
    def test_preflight_reaches_nobody(self, server, target):
        before = server.journal()
        response = server.request("OPTIONS", target, {"Origin": APP, "Access-Control-Request-Method": "POST"})
        assert response.status == 204 and response.body == b"" and response.header("WWW-Authenticate") is None
        assert server.journal() == before

    @pytest.mark.parametrize("method, target, headers", [
        ("OPTIONS", ORDERS, {}), ("OPTIONS", ORDERS, {"Origin": APP}),
        ("OPTIONS", PLAIN, {"Origin": APP, "Access-Control-Request-Method": "GET"}),
        ("GET", ORDERS, {"Origin": APP, "Access-Control-Request-Method": "GET"}),
        ("POST", ORDERS, {"Origin": APP, "Access-Control-Request-Method": "POST", "X-HTTP-Method-Override": "OPTIONS"}),
        ("options", ORDERS, {"Access-Control-Request-Method": "GET"})])
    def test_everything_else_stays_protected(self, server, method, target, headers):
        server.log.expect("sauth: refused reason=credentials_missing")
        before = server.journal()
        response = server.request(method, target, headers, b"" if method == "POST" else None)
        assert response.status == 401 and response.challenge
        assert server.journal() == before


@pytest.mark.parametrize("field, good", [("X-Other:+x", True), ("Access-Control-Allow-Origin:+" + APP, False)])
def test_cors_of_a_backend(make_server, field, good):
    """A backend with a CORS of its own gives the browser two answers."""
    proxy = 'ProxyPass "/cgi-bin/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n'
    server = make_server(Site(modules=("rewrite",), backend=Site(ours=(), participants=None), config=BASIC + proxy +
                              block(PAGE, "Browsers and CORS", "apache")))
    client = Client(Browser(server, APP)).granted("read")
    if good:
        passed(client.send("GET", f"{ORDERS}?header={field}"))
    else:
        with pytest.raises(PermissionError):
            client.send("GET", f"{ORDERS}?header={field}")


def test_cors_of_signed_requests(make_server):
    text = block(PAGE, "Browsers and CORS", "apache")
    signed = text.replace("Content-Digest", "Content-Digest, Signature, Signature-Input")
    signed = signed.replace("WWW-Authenticate", "WWW-Authenticate, Accept-Signature")
    server = make_server(Site(modules=("rewrite",), participants=PEOPLE, config=BASIC + signed + """
<Location "/cgi-bin/orders">
    ISign require
    SAuthAccept signature
</Location>
"""))
    signer = Signer(Browser(server, APP), ED, UID + "#ed25519")
    server.log.expect("isign: refused reason=sig_absent")
    response = signer.server.request("GET", ORDERS)
    assert response.status == 401 and "@method" in response.header("Accept-Signature")
    assert Shown(signer.post(ORDERS, b"{}", {"Content-Type": "application/json"})).env["SAUTH_PARTICIPANT"] == UID
    server.configure(BASIC + text)
    server.graceful()
    with pytest.raises(PermissionError):
        signer.get(ORDERS)


class TestHealth:
    def site(self, text):
        below = '<Location "/">\nAuthType SAuth\nAuthName "all"\nRequire capability read\nISign digest\n</Location>\n'
        return Site(files={"health.txt": "ok\n"}, config=below + ENDPOINT + text.replace("/var/www", "@ROOT@/htdocs"))

    def test_health(self, make_server):
        server = make_server(self.site(block(PAGE, "Load balancers", "apache")))
        for method, headers, body in (("GET", {}, None), ("HEAD", {}, None), ("GET", {"Authorization": "SAuth x"}, None),
                                      ("POST", {}, b"x")):
            response = server.request(method, "/health", headers, body)
            assert response.status == 200, repr(response)
            assert not response.all("WWW-Authenticate") and not response.all("Authentication-Info")
        assert server.get("/health").body == b"ok\n"
        server.log.allow("sauth: refused reason=credentials_missing")
        for target in ("/", "/healthy", "/health/../files/plain.txt", "/health.txt"):
            assert server.get(target).status == 401, target

    def test_status_page_has_numbers(self, make_server):
        """Why the page advises against mod_status."""
        server = make_server(Site(modules=("status",), config='<Location "/status">\nSetHandler server-status\n'
                                                              "Require all granted\n</Location>\n"))
        assert re.search("RegistryParticipants: 1$", server.get("/status?auto").text, re.MULTILINE)

    def test_grant_of_another_server(self, make_server):
        one, other = make_server(Site(config=BASIC)), make_server(Site(config=BASIC))
        client = Client(one).granted("read")
        client.server = other
        other.log.expect("sauth: refused reason=token_unknown")
        response = client.send("GET", ORDERS)
        assert response.status == 401 and response.problem["code"] == "invalid_credentials"


def test_websocket(make_server):
    heads = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener, heads), daemon=True).start()
        text = block(PAGE, "WebSockets", "apache").replace("127.0.0.1:8081", f"127.0.0.1:{listener.getsockname()[1]}")
        server = make_server(Site(modules=("proxy", "proxy_http"), config=BASIC + text))
        server.log.expect("sauth: refused reason=credentials_missing")
        head, connection = upgrade(server)
        connection.close()
        assert head.startswith("HTTP/1.1 401 ") and heads == []

        client = Client(server).granted("read")
        value = client.header()
        head, connection = upgrade(server, value)
        with connection:
            assert head.startswith("HTTP/1.1 101 ") and "Authentication-Info" not in head, head
            connection.sendall(b"through the tunnel")
            assert connection.recv(100) == b"through the tunnel"
            # The next call, in either of the two ways.
            passed(client.send("GET", PLAIN, nonce=client.generate()))
            client.nonces.clear()
            server.log.expect("sauth: refused reason=nonce_replayed")
            response = server.get(PLAIN, {"Authorization": value})
            assert response.status == 401 and response.challenge["stale"]
            passed(client.send("GET", PLAIN, nonce=response.challenge["nonce"]))
            # The tunnel outlives its grant.
            server.participants([])
            server.log.allow("registry")
            server.graceful()
            server.log.expect("sauth: refused reason=participant_unknown")
            assert client.send("GET", PLAIN).status == 401
            connection.sendall(b"still there")
            assert connection.recv(100) == b"still there"
        wait_for_tunnels(server, 1)
        listener.shutdown(socket.SHUT_RDWR)
