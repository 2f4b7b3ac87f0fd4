"""Content-Digest: only bodies that agree with it reach the application."""
import base64
import hashlib
import os
import time

import pytest

from harness import (Client, ENDPOINT, PEOPLE, Shown, Site, digest, location, participant, passed, refused, script,
                     together)


BODY = b'{"order": 17}'


def opened(name, *lines):
    """An unprotected location that is its own CGI."""
    text = "\n".join(lines)
    return f'ScriptAlias "/{name}" "@ROOT@/cgi-bin/show"\n<Location "/{name}">\n{text}\nRequire all granted\n</Location>\n'


class TestRequire:
    site = Site(config=ENDPOINT + opened("require", "ISign digest") + opened("off", "ISign off") + opened("unsaid")
                + '<Location "/files">\nISign digest\nRequire all granted\n</Location>\n')

    def bad(self, server, body, value, code, reason, path="/require", chunked=False, want=False):
        before = server.journal()
        headers = [("Content-Digest", item) for item in ([value] if isinstance(value, str) else value or [])]
        response = server.post(path, body, headers, chunked=chunked)
        refused(server, response, 400, code, reason, module="isign")
        assert server.journal() == before, "the app ran"
        assert (response.header("Want-Content-Digest") is not None) == want, repr(response)
        return response

    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("algorithms, said", [(["sha-256"], {"sha-256"}), (["sha-512"], {"sha-512"}),
                                                  (["sha-256", "sha-512"], {"sha-256", "sha-512"})])
    def test_right(self, server, algorithms, said, chunked):
        shown = Shown(server.post("/require", BODY, {"Content-Digest": digest(BODY, *algorithms)}, chunked=chunked))
        assert shown.body == BODY and shown.env["CONTENT_LENGTH"] == str(len(BODY))
        assert shown.env["ISIGN_RESULT"] == "verified" and set(shown.env["ISIGN_DIGEST"].split()) == said

    @pytest.mark.parametrize("size", [1, 8191, 8192, 8193, 100000, 3000000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_sizes(self, server, size, chunked):
        body = os.urandom(size)
        shown = Shown(server.post("/require", body, {"Content-Digest": digest(body)}, chunked=chunked))
        assert shown.body == body and shown.env["CONTENT_LENGTH"] == str(size)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_wrong(self, server, chunked):
        self.bad(server, BODY + b" ", digest(BODY), "digest_mismatch", "digest_mismatch", chunked=chunked)

    def test_wrong_in_the_last_byte_of_a_large_body(self, server):
        body = os.urandom(2000000)
        self.bad(server, body[:-1] + bytes([body[-1] ^ 1]), digest(body), "digest_mismatch", "digest_mismatch")

    @pytest.mark.parametrize("wrong", ["sha-256", "sha-512"])
    def test_one_of_two_wrong(self, server, wrong):
        right = "sha-512" if wrong == "sha-256" else "sha-256"
        value = f"{digest(BODY, right)}, {digest(BODY + b'x', wrong)}"
        self.bad(server, BODY, value, "digest_mismatch", "digest_mismatch")

    def test_missing(self, server):
        self.bad(server, BODY, None, "digest_missing", "digest_missing", want=True)

    @pytest.mark.parametrize("value", [
        "sha-256", "sha-256=abc", "sha-256=:abc", 'sha-256="x"', "sha-256=:AAAA:", "sha-256=::", "=", ":", "",
        "sha-256=:!!!!:", "SHA-256=:" + base64.b64encode(hashlib.sha256(BODY).digest()).decode() + ":",
        "sha-256=:" + base64.b64encode(hashlib.sha512(BODY).digest()).decode() + ":",
        "sha-256 =:AAAA:", "sha-256=?1", "sha-256=(:AAAA:)"])
    def test_malformed(self, server, value):
        before = server.journal()
        response = server.post("/require", BODY, {"Content-Digest": value})
        assert response.status == 400, repr(response)
        assert response.problem["code"] in ("digest_malformed", "digest_unsupported", "digest_missing")
        server.log.expect(r"isign: refused reason=digest_(malformed|unsupported|missing)( |$)")
        assert server.journal() == before

    def test_wrong_length(self, server):
        self.bad(server, BODY, "sha-256=:AAAA:", "digest_malformed", "digest_malformed")

    def test_good_beside_a_malformed_one(self, server):
        self.bad(server, BODY, digest(BODY) + ", sha-512=:AAAA:", "digest_malformed", "digest_malformed")

    def test_deprecated_only(self, server):
        value = "md5=:" + base64.b64encode(hashlib.md5(BODY).digest()).decode() + ":"
        self.bad(server, BODY, value, "digest_unsupported", "digest_deprecated", want=True)

    def test_unknown_only(self, server):
        self.bad(server, BODY, "sha-3000=:AAAA:", "digest_unsupported", "digest_unsupported", want=True)

    def test_deprecated_or_unknown_beside_an_active_one(self, server):
        for more in ("md5=:AAAA:", "sha-3000=:AAAA:"):
            shown = Shown(server.post("/require", BODY, {"Content-Digest": f"{more}, {digest(BODY)}"}))
            assert shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_DIGEST"] == "sha-256"

    def test_two_fields_are_one_list(self, server):
        pairs = [("Content-Digest", digest(BODY, "sha-256")), ("Content-Digest", digest(BODY, "sha-512"))]
        assert set(Shown(server.post("/require", BODY, pairs)).env["ISIGN_DIGEST"].split()) == {"sha-256", "sha-512"}

    def test_a_key_repeated(self, server):
        """RFC 9651 uses the last value; here a repeated key is refused, because other parsers may use the first."""
        for values in ([digest(BODY), digest(BODY + b"x")], [digest(BODY + b"x"), digest(BODY)]):
            self.bad(server, BODY, values, "digest_malformed", "digest_malformed")

    def test_huge_field(self, server):
        before = server.journal()
        response = server.post("/require", BODY, {"Content-Digest": digest(BODY) + ", x=1" * 1200})
        assert response.status == 400
        server.log.expect("isign: refused reason=digest_malformed")
        assert server.journal() == before

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_no_body(self, server, method):
        shown = Shown(server.request(method, "/require"))
        assert shown.env["ISIGN_RESULT"] == "none" and "ISIGN_DIGEST" not in shown.env

    def test_empty_body(self, server):
        """An empty body needs no digest; a digest that is present is checked."""
        assert Shown(server.post("/require", b"")).env["ISIGN_RESULT"] == "none"
        assert Shown(server.post("/require", b"", {"Content-Digest": digest(b"")})).env["ISIGN_RESULT"] == "verified"
        self.bad(server, b"", digest(b"x"), "digest_mismatch", "digest_mismatch")

    def test_digest_without_a_body(self, server):
        before = server.journal()
        response = server.get("/require", {"Content-Digest": digest(b"x")})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        assert server.journal() == before

    def test_body_of_a_get(self, server):
        response = server.request("GET", "/require", {"Content-Digest": digest(b"x")}, BODY)
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")

    def test_static_file(self, server):
        """An application that does not read its body is protected too."""
        before = server.journal()
        response = server.post("/files/plain.txt", BODY, {"Content-Digest": digest(b"x")})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        assert server.journal() == before

    @pytest.mark.parametrize("path", ["/off", "/unsaid"])
    def test_off(self, server, path):
        shown = Shown(server.post(path, BODY, {"Content-Digest": digest(b"x")}))
        assert shown.body == BODY and "ISIGN_RESULT" not in shown.env

    def test_want_of_the_refusal_names_the_active_ones(self, server):
        response = self.bad(server, BODY, None, "digest_missing", "digest_missing", want=True)
        assert "sha-256" in response.header("Want-Content-Digest")

    def test_broken_off(self, server):
        before = server.journal()
        with server.connect() as connection:
            connection.send(server.message("POST", "/require", {"Content-Digest": digest(BODY), "Content-Length": "500"},
                                           BODY))
            connection.half_close()
            server.log.allow(r"AH0|isign: refused reason=body_broken")
            try:
                assert connection.response().status == 400
            except EOFError:
                pass
        server.log.wait(r"reason=body_broken")
        assert server.journal() == before

    def test_bad_chunk(self, server):
        before = server.journal()
        with server.connect() as connection:
            head = server.message("POST", "/require", {"Content-Digest": digest(BODY), "Transfer-Encoding": "chunked"})
            connection.send(head + b"5\r\nabcde\r\nzz\r\n")
            server.log.allow(r"AH0|isign: refused reason=body_broken")
            assert connection.response().status == 400
        assert server.journal() == before

    def test_connection_after_a_refusal(self, server):
        """httpd closes the connection after a 400: no part of the refused body can be read as a request."""
        with server.connect() as connection:
            connection.send(server.message("POST", "/require", {"Content-Digest": digest(b"x")}, BODY, close=False))
            response = connection.response()
            refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
            assert response.header("Connection") == "close"

    def test_keep_alive(self, server):
        with server.connect() as connection:
            for chunked in (False, True, False):
                connection.send(server.message("POST", "/require", {"Content-Digest": digest(BODY)}, BODY, chunked=chunked,
                                               close=False))
                assert Shown(connection.response()).body == BODY

    def test_expect_continue(self, server):
        with server.connect() as connection:
            connection.send(server.message("POST", "/require", {
                "Content-Digest": digest(BODY), "Content-Length": str(len(BODY)), "Expect": "100-continue"}))
            assert connection.interim()[0] == 100
            connection.send(BODY)
            assert Shown(connection.response()).body == BODY

    def test_slow_body(self, server):
        with server.connect() as connection:
            connection.send(server.message("POST", "/require", {"Content-Digest": digest(BODY),
                                                                "Content-Length": str(len(BODY))}))
            for byte in BODY:
                connection.send(bytes([byte]))
                time.sleep(0.02)
            assert Shown(connection.response()).body == BODY


class TestObserve:
    site = Site(config=opened("watched", "ISign digest", "ISignMode observe"))

    @pytest.mark.parametrize("value, result", [
        (None, "digest_missing"), (digest(b"x"), "digest_mismatch"), ("sha-256=:AAAA:", "digest_malformed"),
        ("md5=:AAAA:", "digest_deprecated"), ("x=:AAAA:", "digest_unsupported")])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_passes_and_tells(self, server, value, result, chunked):
        headers = {"Content-Digest": value} if value else {}
        shown = Shown(server.post("/watched", BODY, headers, chunked=chunked))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == result and "ISIGN_DIGEST" not in shown.env
        pattern = rf"isign: would refuse reason={result}( |$)"
        server.log.allow(pattern)
        server.log.wait(pattern)
        assert len(server.log.matching(pattern)) == 1

    def test_right(self, server):
        shown = Shown(server.post("/watched", BODY, {"Content-Digest": digest(BODY)}))
        assert shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_DIGEST"] == "sha-256"
        assert not server.log.matching("would refuse")

    def test_nothing_to_verify(self, server):
        assert Shown(server.get("/watched")).env["ISIGN_RESULT"] == "none"


class TestSpool:
    """Bodies larger than MEM are kept in an unlinked temporary file; bodies larger than MAX are refused."""

    site = Site(config=opened("small", "ISign digest", "ISignBody spool 1K 64K") +
                opened("wide", "ISign digest", "ISignBody spool 1K 1M") + opened("plain", "ISign digest"))

    @pytest.mark.parametrize("path, size", [
        ("/small", 1023), ("/small", 1024), ("/small", 1025), ("/small", 20000), ("/small", 65536),
        ("/wide", 128 * 1024 + 1024), ("/wide", 128 * 1024 + 1025), ("/wide", 1024 * 1024)])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_whole(self, server, path, size, chunked):
        body = os.urandom(size)
        shown = Shown(server.post(path, body, {"Content-Digest": digest(body)}, chunked=chunked))
        assert shown.body == body and shown.env["ISIGN_RESULT"] == "verified"

    def test_pieces_of_every_size(self, server):
        """Large pieces are moved, small ones are joined: neither may overwrite the other."""
        pieces = [os.urandom(size) for size in (1, 2047, 1, 9000, 3, 2048, 5, 5, 40000, 1, 1, 8000, 17, 100000, 2, 2049, 1) * 4]
        body = b"".join(pieces)
        for path in ("/wide", "/plain"):
            with server.connect() as connection:
                connection.send(server.message("POST", path, {"Content-Digest": digest(body), "Transfer-Encoding": "chunked"}))
                for piece in pieces:
                    connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                connection.send(b"0\r\n\r\n")
                assert Shown(connection.response()).body == body

    def test_temporary_file_is_used_and_unlinked(self, server):
        """A worker holds a deleted file while it reads a large body, and none while it reads a small one."""
        for size, held in ((600000, True), (1000, False)):
            self.none_left(server)
            body = os.urandom(size)
            with server.connect() as connection:
                connection.send(server.message("POST", "/wide", {"Content-Digest": digest(body),
                                                                 "Content-Length": str(size)}) + body[:-1])
                deadline = time.monotonic() + 3
                while not (found := deleted_files(server)) and held and time.monotonic() < deadline:
                    time.sleep(0.02)
                assert bool(found) == held, (size, found)
                connection.send(body[-1:])
                assert Shown(connection.response()).body == body
        self.none_left(server)

    def none_left(self, server):
        """The file is closed with its request, soon after the response."""
        deadline = time.monotonic() + 5
        while deleted_files(server) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert deleted_files(server) == []

    @pytest.mark.parametrize("size", [65537, 500000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_over_max(self, server, size, chunked):
        body = os.urandom(size)
        before = server.journal()
        response = server.post("/small", body, {"Content-Digest": digest(body)}, chunked=chunked)
        refused(server, response, 413, "body_too_large", "body_too_large", module="isign")
        assert server.journal() == before

    def test_over_max_is_refused_by_its_content_length(self, server):
        """A body that is announced as too large is refused before it is read, and without 100 Continue."""
        with server.connect() as connection:
            connection.send(server.message("POST", "/small", {"Content-Digest": digest(b""), "Content-Length": "70000",
                                                              "Expect": "100-continue"}))
            response = connection.response()
        refused(server, response, 413, "body_too_large", "body_too_large", module="isign")
        assert response.interim == []

    def test_bad_body_from_the_file(self, server):
        before = server.journal()
        body = os.urandom(30000)
        response = server.post("/small", body, {"Content-Digest": digest(body[1:])})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        assert server.journal() == before


def deleted_files(server):
    """Unlinked regular files that workers have open."""
    found = []
    for pid in server.children():
        try:
            for entry in os.scandir(f"/proc/{pid}/fd"):
                target = os.readlink(entry.path)
                if target.endswith("(deleted)") and target.startswith("/") and not target.startswith(
                        ("/dev/zero", "/memfd:", "/dev/shm", "/SYSV", "/[aio]")):
                    found.append((pid, target))
        except FileNotFoundError:
            continue
    return found


class TestWithSAuth:
    """The body is read after authorization."""

    site = Site(participants=PEOPLE, php_fcgi=True, modules=("rewrite", "actions"), config=ENDPOINT
                + script("orders", "Require capability read", "ISign digest")
                + script("update", "Require capability update", "ISign digest")
                + location("/php", "Require capability read", "ISign digest")
                + location("/app", "Require capability read", "ISign digest"),
                files={"app/.htaccess": "RewriteEngine On\nRewriteRule .* /cgi-bin/show [L]\n"})

    def test_right(self, server, client):
        shown = Shown(passed(client.post("/orders", BODY, {"Content-Digest": digest(BODY)})))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == "verified" and shown.env["SAUTH_PARTICIPANT"]

    def test_wrong_still_brings_a_next_nonce(self, server, client):
        before = server.journal()
        response = client.post("/orders", BODY, {"Content-Digest": digest(b"x")})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        assert response.nextnonce and server.journal() == before

    @pytest.mark.parametrize("path", ["/php/orders.php", "/app/x"])
    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("size", [13, 700000])
    def test_other_ways(self, server, client, path, chunked, size):
        body = os.urandom(size)
        shown = Shown(passed(client.post(path, body, {"Content-Digest": digest(body)}, chunked=chunked)))
        assert shown.body == body and shown.env["ISIGN_RESULT"] == "verified"

    def test_anonymous_gets_401_and_no_100(self, server):
        with server.connect() as connection:
            connection.send(server.message("POST", "/orders", {"Content-Length": "1000000", "Expect": "100-continue",
                                                               "Content-Digest": digest(b"")}))
            response = connection.response()
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        assert response.interim == []

    def test_denied_gets_403_and_no_100(self, server, client):
        with server.connect() as connection:
            connection.send(server.message("POST", "/update", {
                "Content-Length": "1000000", "Expect": "100-continue", "Content-Digest": digest(b""),
                "Authorization": client.header()}))
            response = connection.response()
        refused(server, response, 403, "insufficient_capability", "capability_missing")
        assert response.interim == []

    def test_anonymous_bad_body_is_a_401(self, server):
        refused(server, server.post("/orders", BODY, {"Content-Digest": digest(b"x")}), 401, "credentials_required",
                "credentials_missing", level="info")

    def test_spoofed_result(self, server, client):
        shown = Shown(passed(client.post("/orders", BODY, {"Content-Digest": digest(BODY), "ISign-Result": "evil",
                                                           "ISign-Digest": "evil"})))
        assert b"evil" not in shown.raw

    def test_parallel(self, server):
        """Bodies of parallel requests do not mix."""
        client = Client(server).granted(nonces=16)

        def post(nonce):
            body = os.urandom(300000)
            response = server.post("/orders", body, {"Content-Digest": digest(body), "Authorization": client.header(nonce)})
            return Shown(response).body == body
        assert together([lambda nonce=nonce: post(nonce) for nonce in list(client.nonces)]) == [True] * 16


class TestProxied:
    """A verified body is passed on to a backend."""

    site = Site(participants=[participant()], backend=Site(ours=(), participants=None), config=ENDPOINT
                + 'ProxyPass "/far/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n'
                + location("/far", "Require capability read", "ISign digest\nSAuthPass headers"))

    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("size", [13, 700000])
    def test_whole(self, server, client, chunked, size):
        body = os.urandom(size)
        shown = Shown(passed(client.post("/far/show", body, {"Content-Digest": digest(body)}, chunked=chunked)))
        assert shown.body == body

    def test_wrong(self, server, client):
        before = server.backend.journal()
        response = client.post("/far/show", BODY, {"Content-Digest": digest(b"x")})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        assert server.backend.journal() == before
