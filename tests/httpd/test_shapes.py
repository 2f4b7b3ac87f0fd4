"""HTTP/2, a backend behind a proxy, mod_php, suexec, and restarts and kills under load."""
import os
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from harness import (BASIC, Client, ENDPOINT, PAGE, Shown, Site, UID, digest, location, passed, refused)
from harness.http2 import Http2
from harness.locate import stock_dir
from harness.sauth import FORM

LONG = os.environ.get("INTERAUTH_LONG") == "1"
BODY = b'{"order": 17}'
VERIFIED = BASIC + '<Location "/cgi-bin/orders">\nISign digest\n</Location>\n'
SPOOFED = [("SAuth-Participant", "evil"), ("sauth-capabilities", "evil"), ("SAuth-Grant", "evil"),
           ("SAuth_Participant", "evil"), ("ISign-Result", "evil"), ("SAuth-Whatever", "evil")]


# --- HTTP/2 ------------------------------------------------------------------------------------------------------------

@pytest.fixture
def http2(server):
    """A connection that speaks HTTP/2 from its first byte."""
    with Http2(server.port) as connection:
        yield connection


class TestHttp2:
    site = Site(modules=("http2", "rewrite"), config="Protocols h2c http/1.1\nMaxKeepAliveRequests 0\n" + VERIFIED)

    def spend(self, client, http2, method, target, headers=(), body=None):
        response = http2.request(method, target, [*headers, ("Authorization", client.header())], body)
        client.take(response)
        return response

    def test_main_flow(self, server, http2):
        client = Client(server)
        form = urlencode(client.form(client.body())).encode()
        response = http2.request("POST", "/sauth/request_access", FORM, form)
        assert response.status == 200 and "no-store" in response.header("cache-control"), repr(response)
        client.keep(response)
        for _ in range(3):
            shown = Shown(passed(self.spend(client, http2, "POST", "/cgi-bin/orders",
                                            [("Content-Digest", digest(BODY))], BODY)))
            assert shown.body == BODY and shown.env["SAUTH_PARTICIPANT"] == UID and shown.env["HTTP2"] == "on"
            assert not [name for name in shown.env if "AUTHORIZATION" in name]
        form = urlencode(client.form(client.body(access_for=None, token=client.token))).encode()
        response = http2.request("POST", "/sauth/refresh_access", FORM, form)
        assert response.status == 200 and response.json["token"] == client.token
        refused(server, http2.request("POST", "/sauth/request_access", FORM, b"x=y"), 400, "malformed_request",
                "field_unknown")
        response = http2.request("GET", "/sauth/generate_nonce")
        passed(client.get(PAGE, nonce=response.text))

    def test_parallel_streams(self, server, http2):
        """Sixteen streams of one connection with one grant, in any order."""
        client = Client(server).granted(nonces=32)
        requests = [("GET", "/cgi-bin/orders", {"Authorization": client.header()}) for _ in range(16)]
        responses = http2.many(requests)
        seen = [Shown(passed(response)).env for response in responses]
        assert len({env["H2_STREAM_TAG"] for env in seen}) == 16
        assert len({env["REMOTE_PORT"] for env in seen}) == 1
        client.nonces = [response.nextnonce for response in responses]
        assert len(set(client.nonces)) == 16
        assert {response.status for response in http2.many(
            [("GET", PAGE, {"Authorization": client.header()}) for _ in range(16)])} == {200}
        server.log.allow("reason=nonce_replayed")
        assert {response.status for response in http2.many(requests)} == {401}

    def test_one_nonce_in_many_streams(self, server, http2, client):
        server.log.allow("reason=nonce_replayed")
        value = client.header()
        responses = http2.many([("GET", PAGE, {"Authorization": value})] * 12)
        assert sorted(response.status for response in responses) == [200] + [401] * 11
        assert server.get(PAGE, {"Authorization": value}).status == 401
        fresh = client.header(client.generate())
        passed(server.get(PAGE, {"Authorization": fresh}))
        refused(server, http2.request("GET", PAGE, {"Authorization": fresh}), 401, "replayed_nonce", "nonce_replayed")

    def test_authentication_info(self, server, http2, client):
        """In every response to an authenticated request, including errors of the application."""
        page = passed(self.spend(client, http2, "GET", PAGE))
        passed(self.spend(client, http2, "GET", "/files/absent"), 404)
        passed(self.spend(client, http2, "HEAD", PAGE))
        passed(self.spend(client, http2, "GET", PAGE, [("If-None-Match", page.header("etag"))]), 304)
        passed(self.spend(client, http2, "GET", PAGE, [("Range", "bytes=1-3")]), 206)
        passed(self.spend(client, http2, "GET", PAGE, [("Range", "bytes=900-")]), 416)
        for status in (404, 500, 503):
            passed(self.spend(client, http2, "GET", f"/cgi-bin/orders?status={status}"), status)
        writer = Client(server).granted("update")
        response = self.spend(writer, http2, "GET", PAGE)
        refused(server, response, 403, "insufficient_capability", "capability_missing")
        assert response.nextnonce
        assert "private" in page.header("cache-control")

    def test_error_bodies(self, server, http2, client):
        response = http2.request("GET", PAGE)
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        assert len(response.body) == int(response.header("content-length"))
        passed(client.get(PAGE, nonce=response.challenge["nonce"]))
        response = http2.request("GET", PAGE, {"Authorization": client.header(token="T" * 22)})
        refused(server, response, 401, "invalid_credentials", "token_unknown")
        response = http2.request("PUT", "/sauth/request_access", {}, b"x")
        refused(server, response, 405, "method_not_allowed", "method_not_allowed")

    def test_digests(self, server, http2, client):
        large = os.urandom(300000)
        shown = Shown(passed(self.spend(client, http2, "POST", "/cgi-bin/orders", [("Content-Digest", digest(large))],
                                        large)))
        assert shown.body == large and shown.env["ISIGN_RESULT"] == "verified"
        before = server.journal()
        response = self.spend(client, http2, "POST", "/cgi-bin/orders", [("Content-Digest", digest(b"x"))], large)
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        response = self.spend(client, http2, "POST", "/cgi-bin/orders", [], BODY)
        refused(server, response, 400, "digest_missing", "digest_missing", module="isign")
        assert server.journal() == before
        passed(self.spend(client, http2, "GET", PAGE))

    def test_body_of_unknown_length(self, server, http2, client):
        """A stream without Content-Length: the application gets the whole body, with its length."""
        body = BODY * 5000
        response = http2.request("POST", "/cgi-bin/orders", {"Authorization": client.header(), "Content-Digest": digest(body)},
                               body, length=False)
        shown = Shown(passed(response))
        assert shown.body == body and shown.env["CONTENT_LENGTH"] == str(len(body))

    def test_spoofed(self, server, http2, client):
        response = passed(self.spend(client, http2, "POST", "/cgi-bin/orders",
                                   [*SPOOFED, ("Content-Digest", digest(BODY))], BODY))
        assert b"evil" not in response.body

    def test_through_reloads(self, server):
        client = Client(server).granted(nonces=8)
        for _ in range(3):
            server.graceful()
            with Http2(server.port) as connection:
                responses = connection.many([("GET", PAGE, {"Authorization": client.header()}) for _ in range(4)])
            client.nonces += [passed(response).nextnonce for response in responses]


class TestHttp2BeforeABackend:
    """HTTP/2 outside, and inside a backend over HTTP/1.1 that learns the client from headers."""

    site = Site(modules=("http2",), backend=Site(ours=(), participants=None),
                config="Protocols h2c http/1.1\n" + ENDPOINT
                + 'ProxyPass "/far/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n'
                + location("/far", "Require capability read", "SAuthPass headers"))

    def test_backend_sees_the_client(self, server, http2, client):
        value = client.header()
        response = passed(http2.request("POST", "/far/show", [*SPOOFED, ("Authorization", value)], BODY))
        shown = Shown(response)
        assert shown.body == BODY and shown.env["HTTP_SAUTH_PARTICIPANT"] == UID
        assert shown.env["HTTP_SAUTH_CAPABILITIES"] == "read"
        assert b"evil" not in response.body and value.encode() not in response.body and client.token.encode() not in response.body
        client.take(response)
        passed(http2.request("GET", "/far/show?status=500", {"Authorization": client.header()}), 500)

    def test_unauthenticated_clients_do_not_reach_the_backend(self, server, http2):
        before = server.backend.journal()
        response = http2.request("GET", "/far/show", SPOOFED)
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        assert server.backend.journal() == before


# --- PHP inside httpd ----------------------------------------------------------------------------------------------------

def php_module():
    """libphp, installed or unpacked; that of Debian requires prefork."""
    named = os.environ.get("INTERAUTH_PHP_MODULE")
    found = [Path(named)] if named else sorted(stock_dir().glob("libphp*.so"))
    return found[-1] if found and found[-1].is_file() else None


@pytest.mark.skipif(php_module() is None, reason="no libphp*.so: INTERAUTH_PHP_MODULE names one")
class TestModPhp:
    site = Site(mpm="prefork", config=f"LoadModule php_module {php_module()}\n" + ENDPOINT + """
<FilesMatch "\\.php$">
    SetHandler application/x-httpd-php
</FilesMatch>
""" + location("/php", "Require capability read", "ISign digest"))

    def test_get(self, server, client):
        value = client.header()
        response = passed(client.get("/php/orders.php", SPOOFED, authorization=value))
        shown = Shown(response)
        assert shown.env["SAUTH_PARTICIPANT"] == UID and shown.env["SAUTH_CAPABILITIES"] == "read"
        assert shown.env["REMOTE_USER"] == UID and shown.env["GATEWAY_INTERFACE"] == "CGI/1.1"
        assert not [name for name in [*shown.env, *shown.headers] if "authorization" in name.lower()]
        for secret in (value, client.token):
            assert secret.encode() not in response.body
        assert b"evil" not in response.body

    @pytest.mark.parametrize("chunked", [False, True])
    def test_body(self, server, client, chunked):
        body = os.urandom(200000)
        shown = Shown(passed(client.post("/php/orders.php", body, {"Content-Digest": digest(body)}, chunked=chunked)))
        assert shown.body == body and shown.env["ISIGN_RESULT"] == "verified"

    def test_refused(self, server, client):
        before = server.journal()
        refused(server, server.get("/php/orders.php"), 401, "credentials_required", "credentials_missing", level="info")
        response = client.post("/php/orders.php", BODY, {"Content-Digest": digest(b"x")})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        assert server.journal() == before

    def test_many_requests_in_one_process(self, server):
        """What one request leaves in PHP's process does not reach the next one."""
        clients = [Client(server).granted() for _ in range(4)]
        for _ in range(5):
            for client in clients:
                assert Shown(passed(client.get("/php/orders.php"))).env["SAUTH_PARTICIPANT"] == UID
            assert server.get("/index.html").status == 200
        server.graceful()
        passed(clients[0].get("/php/orders.php"))


# --- CGI as another user ---------------------------------------------------------------------------------------------------

SUEXEC = Path("/usr/lib/apache2/suexec")


@pytest.mark.skipif(os.getuid() != 0 or not SUEXEC.exists(), reason="needs root and Debian's apache2-suexec-pristine")
class TestSuexec:
    """suexec passes HTTP_* and a few other variables: the client's identity comes as headers."""

    @pytest.fixture
    def scripts(self):
        """A directory of CGI scripts where suexec looks for them."""
        made = [path for path in map(Path, ("/var/www", "/var/log/apache2")) if not path.exists()]
        for path in made:
            path.mkdir()
        root = Path(tempfile.mkdtemp(prefix="interauth-", dir="/var/www"))
        (root / "show").write_text("#!/bin/sh\nprintf 'Content-Type: application/octet-stream\\r\\n\\r\\n'\nenv\n"
                                   "echo ID=$(id -un)\nprintf '=====BODY=====\\n'\ncat\n")
        (root / "show").chmod(0o755)
        root.chmod(0o755)
        for path in (root, root / "show"):
            shutil.chown(path, "nobody", "nogroup")
        yield root
        shutil.rmtree(root)
        for path in made:
            shutil.rmtree(path) if path.name == "apache2" else path.rmdir()

    @pytest.mark.parametrize("mpm", ["event", "prefork"])
    def test_headers(self, make_server, scripts, mpm):
        server = make_server(Site(modules=("suexec",), mpm=mpm, config=f"""
SuexecUserGroup nobody nogroup
ScriptAlias "/su/" "{scripts}/"
ScriptAlias "/env/" "{scripts}/"
<Directory "{scripts}">
    Require all granted
</Directory>
""" + ENDPOINT + location("/su", "Require capability read", "SAuthPass headers\nISign digest")
                                  + location("/env", "Require capability read")))
        client = Client(server).granted()
        response = passed(client.post("/su/show", BODY, [*SPOOFED, ("Content-Digest", digest(BODY))]))
        shown = Shown(response)
        assert shown.env["ID"] == "nobody" and shown.body == BODY
        assert shown.env["HTTP_SAUTH_PARTICIPANT"] == UID and shown.env["HTTP_SAUTH_CAPABILITIES"] == "read"
        assert b"evil" not in response.body and client.token.encode() not in response.body
        shown = Shown(passed(client.get("/env/show")))
        assert not [name for name in shown.env if "SAUTH" in name]


# --- restarts and kills under load --------------------------------------------------------------------------------------------

class Load:
    """Chains of authenticated requests, and the same requests without our modules."""

    def __init__(self, server, chains=3, controls=3):
        self.server, self.stop, self.lock = server, threading.Event(), threading.Lock()
        self.served = {"ours": 0, "control": 0}
        self.broken = {"ours": 0, "control": 0}  # no response came
        self.refused, self.accepted = [], {}
        clients = [Client(server).granted(nonces=4) for _ in range(chains)]
        self.threads = [threading.Thread(target=self.chain, args=[client]) for client in clients]
        self.threads += [threading.Thread(target=self.control) for _ in range(controls)]
        for thread in self.threads:
            thread.start()

    def attempt(self, kind, call):
        try:
            response = call()
        except (EOFError, OSError, AssertionError):
            with self.lock:
                self.broken[kind] += 1
            time.sleep(0.01)
            return None
        with self.lock:
            self.served[kind] += 1
        return response

    def chain(self, client):
        while not self.stop.is_set():
            if not client.nonces:  # what was held may have been used by a request whose answer got lost
                fresh = self.attempt("ours", lambda: self.server.get("/sauth/generate_nonce"))
                if fresh is None:
                    continue
                client.nonces = [fresh.text]
            value = client.header()
            response = self.attempt("ours", lambda: self.server.get(PAGE, {"Authorization": value}))
            if response is None:
                continue
            if response.status != 200:
                self.refused.append(repr(response))
                return
            with self.lock:
                self.accepted[value] = self.accepted.get(value, 0) + 1
            client.take(response)

    def control(self):
        while not self.stop.is_set():
            response = self.attempt("control", lambda: self.server.get("/index.html"))
            assert response is None or response.status == 200

    def settle(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert self.refused == []
        assert min(self.served.values()) > 0 and set(self.accepted.values()) == {1}

    def share(self, kind):
        return self.broken[kind] / (self.broken[kind] + self.served[kind])

    def __str__(self):
        return f"served {self.served}, broken {self.broken}"


TIMES = 100 if LONG else 10
ROOMY = "".join(f"SAuth{what} 100000\n" for what in ("GrantCapacity", "GrantQuota", "ReplayCapacity", "ReplayQuota"))


class TestRestartsUnderLoad:
    @pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
    def test_graceful(self, make_server, mpm):
        """No request is lost that would be served in the same reload without our modules."""
        server = make_server(Site(mpm=mpm, config=ROOMY + BASIC))
        server.log.allow("AH0")
        load = Load(server)
        for _ in range(TIMES):
            server.graceful()
            time.sleep(0.05)
        load.settle()
        print(mpm, load)
        assert load.broken["ours"] <= load.broken["control"] + 2, str(load)

    @pytest.mark.parametrize("mpm", ["event", "prefork"])
    def test_hard(self, make_server, mpm):
        """A hard restart cuts off requests with and without our modules; none is refused, and no nonce can be used twice."""
        server = make_server(Site(mpm=mpm, config=ROOMY + BASIC))
        server.log.allow("AH0")
        if mpm == "prefork":  # its children clean up in a signal handler, at times amidst the allocations of their own start
            server.log.allow(r"^(corrupted |malloc|free\(\)|double free|realloc\(\)|unaligned )")
        load = Load(server)
        for _ in range(TIMES):
            server.restart()
            time.sleep(0.05)
        load.settle()
        print(mpm, load)
        assert load.share("ours") <= 1.5 * load.share("control") + 0.05, str(load)
        server.log.allow("reason=nonce_replayed|reason=nonce_stale")
        for value in list(load.accepted)[-20:]:
            assert server.get(PAGE, {"Authorization": value}).status == 401


class TestKillsUnderLoad:
    @pytest.mark.parametrize("mpm", ["event", "prefork"])
    def test_random_children(self, make_server, mpm):
        """kill -9 of any child at any time, mod_cgid's daemon included."""
        server = make_server(Site(mpm=mpm, config=ROOMY + BASIC))
        server.log.allow("AH0|cgid")
        load = Load(server)
        pick = random.Random(20)
        for _ in range(60 if LONG else 8):
            time.sleep(pick.uniform(0.02, 0.2))
            children = server.children()
            if children:
                server.kill(pick.choice(children))
        load.settle()
        server.log.allow("reason=nonce_replayed|reason=nonce_stale")
        for value in list(load.accepted)[-60:]:
            assert server.get(PAGE, {"Authorization": value}).status == 401
        began = time.monotonic()
        for _ in range(10):
            client = Client(server).granted()
            passed(client.get(PAGE))
            assert client.refresh().status == 200
            passed(client.get("/cgi-bin/orders"))
        assert time.monotonic() - began < 10
