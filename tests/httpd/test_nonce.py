"""One-time nonces: valid once, in any order, in parallel; and old, foreign and made-up ones."""
import os
import random
import re

import pytest

from harness import BASIC, Client, OTHER, OTHER_SECRET, PAGE, Site, b64url, participant, passed, refused, together
from harness.sauth import from_b64url


NONCE = r"[A-Za-z0-9_-]{22}"


class TestGenerate:
    site = Site(config=BASIC)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_response(self, server, method):
        response = server.request(method, "/sauth/generate_nonce", body=b"" if method == "POST" else None)
        assert response.status == 200, repr(response)
        assert re.match(r"text/plain\b", response.header("Content-Type"))
        assert "no-store" in response.header("Cache-Control")
        assert re.fullmatch(NONCE, response.text)

    def test_head(self, server):
        response = server.request("HEAD", "/sauth/generate_nonce")
        assert response.status == 200 and response.body == b""

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_method(self, server, method):
        response = server.request(method, "/sauth/generate_nonce")
        assert {"GET", "POST"} <= set(re.split(r",\s*", response.header("Allow")))
        refused(server, response, 405, "method_not_allowed", "method_not_allowed")

    def test_every_nonce_differs(self, server):
        seen = together([lambda: server.get("/sauth/generate_nonce").text] * 16)
        seen += [server.get("/sauth/generate_nonce").text for _ in range(50)]
        assert len(set(seen)) == 66

    def test_good_for_any_grant(self, server):
        nonce = server.get("/sauth/generate_nonce").text
        for _ in range(2):
            client = Client(server).granted()
            passed(client.get(PAGE, nonce=nonce))


class TestOnce:
    site = Site(config=BASIC, participants=[participant(), participant(OTHER, ["read"], OTHER_SECRET)])

    @pytest.mark.parametrize("kind", ["next", "fresh"])
    def test_replayed(self, server, client, kind):
        value = client.header(client.generate() if kind == "fresh" else None)
        passed(server.get(PAGE, {"Authorization": value}))
        for _ in range(3):
            refused(server, server.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")

    @pytest.mark.parametrize("kind", ["next", "fresh"])
    def test_replayed_elsewhere(self, server, client, kind):
        """A nonce that is used at one location cannot be used at another."""
        value = client.header(client.generate() if kind == "fresh" else None)
        passed(server.get(PAGE, {"Authorization": value}))
        before = server.journal()
        refused(server, server.post("/cgi-bin/orders", b"again", {"Authorization": value}), 401, "replayed_nonce",
                "nonce_replayed")
        assert server.journal() == before

    @pytest.mark.parametrize("kind", ["next", "fresh"])
    def test_parallel_use_succeeds_once(self, server, client, kind):
        value = client.header(client.generate() if kind == "fresh" else None)
        server.log.allow("reason=nonce_replayed")
        calls = [lambda: server.get(PAGE, {"Authorization": value}).status] * 16
        assert together(calls) == [200] + [401] * 15

    def test_used_by_a_denied_request(self, server, client):
        value = client.header()
        passed(server.get("/files/absent", {"Authorization": value}), 404)
        refused(server, server.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")

    def test_stale_challenge_brings_a_next_nonce(self, server, client):
        """After the refusal of a nonce the client uses that of the challenge."""
        value = client.header()
        passed(server.get(PAGE, {"Authorization": value}))
        response = server.get(PAGE, {"Authorization": value})
        refused(server, response, 401, "replayed_nonce", "nonce_replayed")
        passed(client.get(PAGE, authorization=client.bare(response.challenge["nonce"])))

    def test_first_challenge_is_enough(self, server, client):
        """A client with only a token: 401, then 200."""
        response = server.get(PAGE)
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        passed(client.get(PAGE, nonce=response.challenge["nonce"]))

    def test_made_up(self, server, client):
        for nonce in (b64url(os.urandom(16)), b64url(b"\x01" + os.urandom(15)), b64url(b"\x02" + bytes(15))):
            response = client.get(PAGE, nonce=nonce)
            refused(server, response, 401, "stale_nonce", "nonce_foreign", level="info")

    def test_one_bit_changed(self, server, client):
        for bit in (0, 7, 8, 63, 64, 127):
            data = bytearray(from_b64url(client.generate()))
            data[bit // 8] ^= 1 << (bit % 8)
            response = client.get(PAGE, nonce=b64url(bytes(data)))
            refused(server, response, 401, "stale_nonce", "nonce_foreign", level="info")

    def test_next_nonce_of_another_grant(self, server, client):
        other = Client(server).granted()
        response = server.get(PAGE, {"Authorization": client.header(other.nonces[0])})
        refused(server, response, 401, "stale_nonce", "nonce_foreign", level="info")
        passed(other.get(PAGE))

    def test_next_nonce_of_another_participant(self, server, client):
        other = Client(server, OTHER, OTHER_SECRET).granted()
        response = server.get(PAGE, {"Authorization": client.header(other.nonces[0])})
        refused(server, response, 401, "stale_nonce", "nonce_foreign", level="info")

    def test_nonce_of_another_server(self, server, client, make_server):
        there = make_server(Site(config=BASIC))
        response = client.get(PAGE, nonce=Client(there).generate())
        refused(server, response, 401, "stale_nonce", "nonce_foreign", level="info")


class TestParallel:
    """Valid requests in parallel and out of order all succeed."""

    site = Site(config=BASIC)

    def shuffled(self, server, client, nonces):
        random.shuffle(nonces)
        values = [client.header(nonce) for nonce in nonces]
        return together([lambda value=value: server.get(PAGE, {"Authorization": value}).status for value in values])

    def test_16_next_nonces(self, server):
        client = Client(server).granted(nonces=16)
        assert self.shuffled(server, client, client.nonces) == [200] * 16

    def test_32_next_nonces(self, server):
        client = Client(server).granted(nonces=32)
        assert self.shuffled(server, client, client.nonces) == [200] * 32

    def test_16_fresh_nonces(self, server, client):
        assert self.shuffled(server, client, [client.generate() for _ in range(16)]) == [200] * 16

    def test_16_clients_that_start_from_their_401(self, server, client):
        def start():
            first = server.get(PAGE)
            return server.get(PAGE, {"Authorization": client.header(first.challenge["nonce"])}).status
        assert together([start] * 16) == [200] * 16

    def test_16_chains(self, server):
        """Sixteen workers with one grant, each with its own chain of nonces."""
        client = Client(server).granted(nonces=16)

        def chain(nonce):
            statuses = []
            for _ in range(8):
                response = server.get(PAGE, {"Authorization": client.header(nonce)})
                statuses.append(response.status)
                nonce = response.nextnonce
            return statuses
        assert together([lambda nonce=nonce: chain(nonce) for nonce in list(client.nonces)]) == [[200] * 8] * 16

    def test_each_succeeds_once(self, server):
        client = Client(server).granted(nonces=16)
        values = [client.header(nonce) for nonce in list(client.nonces)] * 3
        random.shuffle(values)
        server.log.allow("reason=nonce_replayed")
        calls = [lambda value=value: server.get(PAGE, {"Authorization": value}).status for value in values]
        assert together(calls) == [200] * 16 + [401] * 32


class TestWindow:
    site = Site(config=BASIC)

    def test_a_next_nonce_256_behind_is_stale(self, server):
        client = Client(server).granted(nonces=3)
        oldest, *client.nonces = client.nonces
        with server.connect() as connection:
            for count in range(90):
                connection.send(server.message("GET", PAGE, {"Authorization": client.header(client.nonces.pop())},
                                               close=False))
                client.take(passed(connection.response()))
        passed(server.get(PAGE, {"Authorization": client.header(oldest)}))
        held, *client.nonces = client.nonces
        newest = client.nonces
        for count in range(260):
            newest.append(passed(server.get(PAGE, {"Authorization": client.header(newest.pop())})).nextnonce)
        response = server.get(PAGE, {"Authorization": client.header(held)})
        refused(server, response, 401, "stale_nonce", "nonce_stale", level="info")
        passed(client.get(PAGE, nonce=response.challenge["nonce"]))

    def test_more_than_16_fresh_nonces_one_after_another(self, server, client):
        for _ in range(40):
            passed(server.get(PAGE, {"Authorization": client.header(client.generate())}))

    def test_fresh_nonces_below_the_floor(self, server, client):
        oldest = client.generate()
        for _ in range(17):
            passed(server.get(PAGE, {"Authorization": client.header(client.generate())}))
        response = server.get(PAGE, {"Authorization": client.header(oldest)})
        refused(server, response, 401, "stale_nonce", "nonce_stale", level="info")

    def test_floor_is_the_grants_own(self, server, client):
        other = Client(server).granted()
        oldest = client.generate()
        for _ in range(17):
            passed(server.get(PAGE, {"Authorization": client.header(client.generate())}))
        passed(other.get(PAGE, nonce=oldest))

    def test_unused_next_nonces_do_not_run_out(self, server, client):
        """A client that uses only fresh nonces gets next nonces without limit."""
        first = client.nonces[0]
        for _ in range(300):
            response = passed(server.get(PAGE, {"Authorization": client.header(client.generate())}))
        passed(client.get(PAGE, nonce=response.nextnonce))
        passed(client.get(PAGE, nonce=first))


class TestLifetime:
    site = Site(config="SAuthNonceLifetime 1\n" + BASIC)

    def test_fresh_nonce_too_old(self, server, client):
        nonce = client.generate()
        server.clock.advance(1.2)
        refused(server, client.get(PAGE, nonce=nonce), 401, "stale_nonce", "nonce_stale", level="info")
        passed(client.get(PAGE))

    def test_next_nonces_do_not_age(self, server, client):
        server.clock.advance(1.2)
        passed(client.get(PAGE))


class TestFlood:
    """Challenges use no memory: a flood of unauthenticated requests does not invalidate nonces."""

    site = Site(config=BASIC)

    def test_challenges(self, server, client):
        held_next, held_fresh = client.nonces[0], client.generate()
        with server.connect() as connection:
            for _ in range(90):
                connection.send(server.message("GET", PAGE, close=False))
                assert connection.response().status == 401
        for _ in range(400):
            server.get("/sauth/generate_nonce")
        for nonce in (held_next, held_fresh):
            passed(server.get(PAGE, {"Authorization": client.header(nonce)}))
