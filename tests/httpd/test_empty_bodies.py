"""A body of zero bytes is no content: in every version of HTTP, however it is announced, signed or not."""
import re
import time

import pytest

from harness import ENDPOINT, Shown, Site, UID, digest, location
from harness.challenge import DOMAIN, person
from harness.http2 import Http2
from harness.signed import BODY, JSON, PEOPLE, opened
from harness.signer import COVER
from harness.verdict import HTTPD_DENIES

NAMES = {"spool": "ISignBody spool", "stream": "ISignBody stream"}


class TestEmpty:
    site = Site(participants=PEOPLE + [person("http://by.password")], modules=("http2",),
                config="Protocols h2c http/1.1\n" + ENDPOINT + f"SAuthChallenge hmac-sha256\nSAuthChallengeDomain {DOMAIN}\n"
                + "".join(opened(f"{name}-{who}", "ISign digest", body, f"Require {rule}")
                          for name, body in NAMES.items() for who, rule in (("signed", "signed"), ("any", "all granted")))
                + location("/cgi-bin/orders", "Require capability read", "SAuthAccept challenge"))

    def ways(self, server, target, pairs, method="PUT"):
        """The responses to requests with zero bytes, announced in every way."""
        def fresh():
            return pairs() if callable(pairs) else pairs
        yield server.request(method, target, fresh(), b"")
        yield server.request(method, target, fresh(), b"", chunked=True)
        with server.connect() as connection:
            connection.send(server.message(method, target, list(fresh()) + [("Transfer-Encoding", "chunked")]))
            time.sleep(0.02)
            connection.send(b"0\r\n\r\n")
            yield connection.response(method)
        for body, length in ((None, False), (b"", True), (b"", False)):
            with Http2(server.port) as http2:
                yield http2.request(method, target, fresh(), body, length)
        with Http2(server.port) as http2:  # the end of the stream comes later
            stream, head = http2.begin(method, target, fresh(), b"", False)
            http2.sock.sendall(head)
            time.sleep(0.05)
            http2.send_bodies()
            while stream in http2.open:
                http2.receive()
            yield http2.response(stream)

    @pytest.mark.parametrize("name", NAMES)
    def test_unsigned(self, server, name):
        for response in self.ways(server, f"/{name}-any", JSON.items()):
            shown = Shown(response)
            assert shown.env["ISIGN_RESULT"] == "none" and shown.body == b"" and "ISIGN_DIGEST" not in shown.env
            assert shown.env.get("CONTENT_LENGTH", "0") in ("0", "") and "HTTP_TRANSFER_ENCODING" not in shown.env

    @pytest.mark.parametrize("name", NAMES)
    def test_signed(self, server, signer, name):
        """A signature need not cover a digest or media type of an empty body."""
        target = f"/{name}-signed"
        for response in self.ways(server, target, lambda: list(JSON.items()) + signer.fields("PUT", target, cover=COVER)):
            shown = Shown(response)
            assert shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_PARTICIPANT"] == UID

    @pytest.mark.parametrize("name", NAMES)
    def test_digest_of_nothing(self, server, signer, name):
        target = f"/{name}-signed"
        for response in self.ways(server, target, lambda: signer.headers("PUT", target, JSON, b"")):
            assert Shown(response).env["ISIGN_DIGEST"] == "sha-256"
        server.log.allow("isign: refused reason=digest_mismatch")
        for response in self.ways(server, target, lambda: signer.headers("PUT", target, JSON, b"x")):
            assert response.status == 400 and response.problem["code"] == "digest_mismatch"

    @pytest.mark.parametrize("name", NAMES)
    def test_often(self, server, signer, name):
        """The end of a stream races with the start of its request."""
        target = f"/{name}-signed"
        with Http2(server.port) as http2:
            for _ in range(4):
                responses = http2.many([("PUT", target, signer.fields("PUT", target, cover=COVER), b"", False)
                                      for _ in range(25)])
                assert [response.status for response in responses] == [200] * 25

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("way", ["chunked", "h2"])
    def test_not_empty(self, server, signer, name, way):
        """A body without a length must be covered; the requirement is checked when its first byte arrives."""
        target, before = f"/{name}-signed", server.journal()
        for covered, reason in ((COVER, "sig_(component_missing|digest_uncovered)"),
                                (COVER + ("content-type",), "sig_digest_uncovered"),
                                (COVER + ("content-digest",), "sig_component_missing")):
            pairs = [*JSON.items(), ("Content-Digest", digest(b"x"))]
            pairs += signer.fields("PUT", target, pairs, cover=covered)
            if way == "h2":
                with Http2(server.port) as http2:
                    response = http2.request("PUT", target, pairs, b"x", False)
            else:
                response = server.request("PUT", target, pairs, b"x", chunked=True)
            assert response.status == 401, repr(response)
            server.log.next(f"isign: refused reason={reason} participant=")
        server.log.allow("isign: refused reason=sig_")
        assert server.journal() == before
        pairs = signer.headers("PUT", target, JSON, b"x")
        assert Shown(server.request("PUT", target, pairs, b"x", chunked=True)).body == b"x"

    @pytest.mark.parametrize("chunked", [False, True])
    def test_as_the_refusal_demands(self, server, signer, chunked):
        """A request that is signed as the refusal demands is accepted, with or without a body, however its length is announced."""
        server.log.allow("isign: refused reason=|" + HTTPD_DENIES)
        for body in (b"", BODY):
            pairs = [*JSON.items(), ("Content-Digest", digest(body))]
            asked = server.request("PUT", "/spool-signed", pairs, body, chunked=chunked).header("Accept-Signature")
            cover = re.findall(r'"([^"]+)"', asked.split(")")[0])
            pairs += signer.fields("PUT", "/spool-signed", pairs, cover=cover)
            response = server.request("PUT", "/spool-signed", pairs, body, chunked=chunked)
            assert Shown(response).env["ISIGN_RESULT"] == "verified", asked

    def test_call(self, server):
        """A POST of zero bytes is not refused as a call with a wrong media type."""
        for response in self.ways(server, "/cgi-bin/orders", {"Content-Type": "text/plain"}.items(), "POST"):
            assert response.status == 401, repr(response)
        server.log.allow("sauth: refused reason=credentials_missing")
