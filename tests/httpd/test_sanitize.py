"""Secrets in logs, pages in caches, and broken requests."""
import hashlib
import re
import time
from urllib.parse import urlencode

import pytest

from harness import (BASIC, Client, ENDPOINT, OTHER, OTHER_SECRET, PAGE, SECRET, Site, UID, b64url, broken_headers,
                     digest, location, participant, passed, refused, script)
from harness.sauth import FORM, hexmac


class TestSecretsInLogs:
    """Every log at trace8 of our modules, after every kind of success and refusal. (Each other class checks its own.)"""

    site = Site(config="SAuthHash sha256 sha1\n" + BASIC + location("/cgi-bin/other", "Require capability update",
                                                                    "ISign digest\nSAuthMode observe"),
                participants=[participant(), participant(OTHER, ["read"], OTHER_SECRET)])

    def test_nothing_leaks(self, server):
        server.log.allow(".")
        for hash, raw in (("sha256", False), ("sha1", True)):
            client = Client(server, hash=hash, raw=raw).granted(nonces=4)
            value = client.header()
            for _ in range(2):
                server.get(PAGE, {"Authorization": value})
            server.get(PAGE, {"Authorization": client.bare(client.nonces[0])})
            server.get(PAGE, {"Authorization": client.header(token="T" * 32)})
            server.get(PAGE, {"Authorization": client.header(secret=OTHER_SECRET)})
            server.get(PAGE, [("Authorization", client.header()), ("Authorization", client.bare("A" * 22))])
            client.nonces = [client.generate() for _ in range(60)]
            for header in broken_headers(client).values():
                server.guard(*re.findall(r'response="([^"]{20,})"', header))
                server.get(PAGE, {"Authorization": header})
            client.post("/cgi-bin/other", b"body", {"Content-Digest": digest(b"body")})
            client.post("/cgi-bin/other", b"body", {"Content-Digest": digest(b"x")})
            client.get("/cgi-bin/other")
            client.refresh()
            client.refresh(token="T" * 32)
            Client(server, OTHER, OTHER_SECRET).refresh(token=client.token)
            client.ask(fields={"uid": "a b"})
            client.ask(fields={"timestamp": "x"})
            client.ask(fields={"more": "x"})
            client.ask(timestamp=1300000000)
            client.submit("request_access", client.form("{"))
            form = client.form(client.body())
            for _ in range(2):
                response = client.submit("request_access", form)
                if response.status == 200:
                    server.guard(response.json["token"])
            Client(server, secret=b"not the secret!!").ask()
        server.participants([participant(secret=b"fifteen bytes..")])
        server.graceful()
        server.guard(b64url(b"fifteen bytes.."))
        server.participants(self.site.participants)
        server.graceful()
        assert len(server.canaries) > 80
        assert server.leaks() == []

    def test_httpd_t_shows_none(self, server):
        accepted, said = server.check()
        assert accepted and not [secret for secret in server.canaries if secret.decode("latin-1") in said]


class TestCache:
    """mod_cache does not store pages of authenticated requests."""

    site = Site(modules=("cache", "cache_disk"), config=BASIC + script("any", """
    <RequireAny>
        Require all granted
        Require capability read
    </RequireAny>""") + script("open", "Require all granted").replace("AuthType SAuth", "AuthType None") + """
CacheEnable disk /
CacheRoot "@ROOT@/spool"
CacheHeader on
CacheDefaultExpire 3600
CacheIgnoreNoLastMod On
""")

    def test_harness_caches(self, server):
        """A public page is stored: the tests below can fail."""
        for status in ("MISS", "HIT"):
            assert status in server.get("/open?header=Cache-Control:+max-age=3600").header("X-Cache")

    @pytest.mark.parametrize("target", [PAGE, "/cgi-bin/orders?header=Cache-Control:+max-age=3600",
                                        "/cgi-bin/orders?header=Cache-Control:+public,+max-age=3600",
                                        "/any?header=Cache-Control:+public,+s-maxage=3600"])
    def test_never_stored(self, server, client, target):
        server.log.allow("reason=credentials_missing")
        seen = set()
        for _ in range(3):
            response = passed(client.get(target))
            assert "HIT" not in (response.header("X-Cache") or "")
            seen.add(response.nextnonce)
        assert len(seen) == 3
        anonymous = server.get(target)
        assert anonymous.nextnonce is None and UID.encode() not in anonymous.body
        assert anonymous.status == (200 if target.startswith("/any") else 401)

    def test_private(self, server, client):
        assert "private" in ", ".join(passed(client.get(PAGE)).all("Cache-Control"))
        response = passed(client.get("/cgi-bin/orders?header=Cache-Control:+public,+max-age=60"))
        said = ", ".join(response.all("Cache-Control"))
        assert "private" in said and "public" not in said

    def test_challenge_is_not_stored(self, server):
        server.log.allow("reason=credentials_missing")
        nonces = {server.get("/cgi-bin/orders").challenge["nonce"] for _ in range(3)}
        assert len(nonces) == 3

    def test_app_forbids_storing_itself(self, server, client):
        """no-store of the application is kept."""
        said = ", ".join(passed(client.get("/cgi-bin/orders?header=Cache-Control:+no-store")).all("Cache-Control"))
        assert "no-store" in said


class TestErrorDocument:
    """The body is that of the ErrorDocument; without one it is problem+json."""

    site = Site(config=BASIC + """
<Location "/files">
    ErrorDocument 401 "please sign in"
    ErrorDocument 403 /index.html
</Location>
<Location "/sauth">
    ErrorDocument 401 "no access"
</Location>
""")

    def test_text(self, server):
        response = server.get(PAGE)
        assert response.status == 401 and response.text == "please sign in" and response.challenge
        server.log.wait("reason=credentials_missing")

    def test_endpoint(self, server):
        response = Client(server, secret=b"not the secret!!").ask()
        assert response.status == 401 and response.text == "no access" and response.challenge
        server.log.expect("reason=mac_mismatch")

    def test_local_page(self, server):
        client = Client(server).granted("update")
        response = client.get(PAGE)
        assert response.status == 403 and response.text == "home\n" and response.nextnonce
        server.log.expect("reason=capability_missing")
        server.log.allow("AH01631")

    def test_problem_elsewhere(self, server):
        response = server.get("/cgi-bin/orders")
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        assert set(response.problem) <= {"type", "title", "status", "code", "detail", "instance"}
        assert response.header("Content-Length") == str(len(response.body))

    def test_head(self, server):
        response = server.request("HEAD", "/cgi-bin/orders")
        assert response.status == 401 and response.body == b"" and response.challenge
        assert response.header("Content-Type") == "application/problem+json"
        server.log.wait("reason=credentials_missing")

    def test_404_of_the_app_is_the_apps(self, server, client):
        response = passed(client.get("/cgi-bin/orders?status=404"), 404)
        assert b"SAUTH_PARTICIPANT" in response.body and response.header("Content-Type") == "application/octet-stream"

    def test_404_of_httpd_is_httpds(self, server, client):
        assert passed(client.get("/files/absent"), 404).header("Content-Type").startswith("text/html")


class TestBroken:
    """Aborted, slow and too large requests are refused and do not harm the server."""

    site = Site(modules=("reqtimeout",), config="RequestReadTimeout header=2 body=2\n" + BASIC)

    @pytest.fixture(autouse=True)
    def well_afterwards(self, server):
        server.log.allow(r"AH0\d+")
        yield
        passed(Client(server).granted().get(PAGE))

    def response(self, connection):
        try:
            return connection.response().status
        except (EOFError, ConnectionError):
            return None

    def test_broken_off_in_the_head(self, server, client):
        message = server.message("GET", PAGE, {"Authorization": client.header(client.nonces[0])})
        for cut in (1, 30, len(message) // 2, len(message) - 2):
            with server.connect() as connection:
                connection.send(message[:cut])
                connection.half_close()
                assert self.response(connection) in (None, 400, 408)
        passed(client.get(PAGE))

    def test_form_broken_off(self, server):
        client = Client(server)
        data = urlencode(client.form(client.body())).encode()
        with server.connect() as connection:
            connection.send(server.message("POST", "/sauth/request_access", FORM, data)[:-10])
            server.log.allow("reason=body_broken")
        with server.connect() as connection:
            connection.send(server.message("POST", "/sauth/request_access", FORM, data)[:-10])
            connection.half_close()
            assert self.response(connection) in (None, 400)
        assert client.submit("request_access", data).status == 200

    def test_slow_form(self, server):
        server.log.allow("reason=body_broken")
        with server.connect() as connection:
            connection.send(server.message("POST", "/sauth/request_access", {**FORM, "Content-Length": "100"}, b"uid="))
            began = time.monotonic()
            assert self.response(connection) in (None, 400, 408)
            assert time.monotonic() - began < 8

    def test_client_gone_before_the_response(self, server, client):
        for _ in range(5):
            with server.connect() as connection:
                connection.send(server.message("GET", "/cgi-bin/orders?sleep=0.1",
                                               {"Authorization": client.header(client.generate())}))
        time.sleep(0.3)

    def test_body_shorter_than_said_to_the_app(self, server, client):
        with server.connect() as connection:
            connection.send(server.message("POST", "/cgi-bin/orders", {
                "Content-Length": "1000", "Authorization": client.header()}, b"x"))
            connection.half_close()
            assert self.response(connection) in (None, 200, 400, 408, 500)

    @pytest.mark.parametrize("lengths", [["5", "6"], ["-1"], ["0x5"], ["5, 6"], ["99999999999999999999"]])
    def test_content_length(self, server, lengths):
        server.log.allow("reason=")
        head = "POST /sauth/request_access HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + "".join(
            f"Content-Length: {length}\r\n" for length in lengths)
        with server.connect() as connection:
            connection.send(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\nuid=x")
            connection.half_close()
            assert self.response(connection) in (None, 400, 413)

    def test_length_and_chunked(self, server):
        server.log.allow("reason=")
        with server.connect() as connection:
            connection.send(b"POST /sauth/request_access HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                            b"Content-Type: application/x-www-form-urlencoded\r\n"
                            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n")
            assert self.response(connection) == 400

    def test_many_headers(self, server, client):
        pairs = [(f"X-{n}", "x") for n in range(150)]
        assert server.get(PAGE, pairs + [("Authorization", client.header())]).status == 400

    def test_long_target(self, server):
        assert server.get("/sauth/" + "x" * 9000).status == 414

    def test_http_1_0(self, server, client):
        with server.connect() as connection:
            connection.send(f"GET {PAGE} HTTP/1.0\r\nAuthorization: {client.header()}\r\n\r\n".encode())
            passed(connection.response())

    def test_absolute_target(self, server, client):
        passed(client.get(f"http://127.0.0.1:{server.port}{PAGE}"))

    def test_no_host(self, server):
        with server.connect() as connection:
            connection.send(f"GET {PAGE} HTTP/1.1\r\n\r\n".encode())
            assert self.response(connection) == 400

    @pytest.mark.parametrize("target", ["/files//plain.txt", "/files/./plain.txt", "/x/../files/plain.txt",
                                        "/%66iles/plain.txt", "//files/plain.txt", "/files/plain.txt?x", "/files%2fplain.txt"])
    def test_other_spellings_of_a_protected_path(self, server, target):
        """The response is a challenge, or there is no such page."""
        server.log.allow("reason=credentials_missing")
        assert server.get(target).status in (401, 404, 400)

    def test_pipelined(self, server, client):
        """Two requests in one packet, with one nonce: one success."""
        server.log.allow("reason=nonce_replayed")
        value = client.header()
        with server.connect() as connection:
            connection.send(server.message("GET", PAGE, {"Authorization": value}, close=False)
                            + server.message("GET", PAGE, {"Authorization": value}))
            assert [connection.response().status, connection.response().status] == [200, 401]


class TestPublishedBug:
    """The published server left the secret out of its HMAC: anybody could forge a grant."""

    site = Site(config="SAuthHash sha256 sha1\n" + BASIC)

    @pytest.mark.parametrize("hash", ["sha256", "sha1"])
    def test_forged(self, server, hash):
        client = Client(server)
        body, stamp = client.body(), str(client.stamp())
        text = f"{stamp} {body}"
        for mac in (getattr(hashlib, hash)(text.encode()).hexdigest(), hexmac(b"", text, hash),
                    hexmac(UID.encode(), text, hash), hexmac(b64url(SECRET).encode(), text, hash)):
            form = {"uid": UID, "timestamp": stamp, "hmac": mac, "body": body}
            refused(server, client.submit("request_access", form), 401, "invalid_credentials", "mac_mismatch")


class TestResponseHeaders:
    """Responses have only those headers about the client that the protocol defines."""

    site = Site(config=ENDPOINT + location("/files", "Require capability read"))

    def test_headers(self, server, client):
        response = passed(client.get(PAGE))
        known = {"date", "server", "last-modified", "etag", "accept-ranges", "content-length", "connection",
                 "content-type", "authentication-info", "cache-control", "vary", "expires"}
        assert {name.lower() for name, _ in response.headers} <= known
        assert not [value for _, value in response.headers if client.token in value]
