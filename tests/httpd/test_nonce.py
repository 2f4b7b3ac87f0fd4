"""One-time nonces: used once, in any order, by many at the same time; their fate when old, foreign or made up."""
import os
import random
import re

import pytest

from harness import BASIC, Caller, OTHER, OTHER_SECRET, PAGE, Site, b64url, participant, passed, refused, together
from harness.sauth import from_b64url


NONCE = r"[A-Za-z0-9_-]{22}"


class TestGenerate:
    site = Site(config=BASIC)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_answer(self, server, method):
        answer = server.request(method, "/sauth/generate_nonce", body=b"" if method == "POST" else None)
        assert answer.status == 200, repr(answer)
        assert re.match(r"text/plain\b", answer.header("Content-Type"))
        assert "no-store" in answer.header("Cache-Control")
        assert re.fullmatch(NONCE, answer.text)

    def test_head(self, server):
        answer = server.request("HEAD", "/sauth/generate_nonce")
        assert answer.status == 200 and answer.body == b""

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_method(self, server, method):
        answer = server.request(method, "/sauth/generate_nonce")
        assert {"GET", "POST"} <= set(re.split(r",\s*", answer.header("Allow")))
        refused(server, answer, 405, "method_not_allowed", "method_not_allowed")

    def test_every_nonce_differs(self, server):
        seen = together([lambda: server.get("/sauth/generate_nonce").text] * 16)
        seen += [server.get("/sauth/generate_nonce").text for _ in range(50)]
        assert len(set(seen)) == 66

    def test_good_for_any_grant(self, server):
        nonce = server.get("/sauth/generate_nonce").text
        for _ in range(2):
            caller = Caller(server).granted()
            passed(caller.get(PAGE, nonce=nonce))


class TestOnce:
    site = Site(config=BASIC, participants=[participant(), participant(OTHER, ["read"], OTHER_SECRET)])

    @pytest.mark.parametrize("kind", ["next", "fresh"])
    def test_replayed(self, server, caller, kind):
        value = caller.header(caller.generate() if kind == "fresh" else None)
        passed(server.get(PAGE, {"Authorization": value}))
        for _ in range(3):
            refused(server, server.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")

    @pytest.mark.parametrize("kind", ["next", "fresh"])
    def test_replayed_elsewhere(self, server, caller, kind):
        """A nonce is used up wherever it was used."""
        value = caller.header(caller.generate() if kind == "fresh" else None)
        passed(server.get(PAGE, {"Authorization": value}))
        before = server.journal()
        refused(server, server.post("/cgi-bin/orders", b"again", {"Authorization": value}), 401, "replayed_nonce",
                "nonce_replayed")
        assert server.journal() == before

    @pytest.mark.parametrize("kind", ["next", "fresh"])
    def test_parallel_use_succeeds_once(self, server, caller, kind):
        value = caller.header(caller.generate() if kind == "fresh" else None)
        server.log.allow("reason=nonce_replayed")
        calls = [lambda: server.get(PAGE, {"Authorization": value}).status] * 16
        assert together(calls) == [200] + [401] * 15

    def test_used_by_a_denied_request(self, server, caller):
        value = caller.header()
        passed(server.get("/files/absent", {"Authorization": value}), 404)
        refused(server, server.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")

    def test_stale_challenge_brings_a_next_nonce(self, server, caller):
        """After a refused nonce the caller goes on from the challenge."""
        value = caller.header()
        passed(server.get(PAGE, {"Authorization": value}))
        answer = server.get(PAGE, {"Authorization": value})
        refused(server, answer, 401, "replayed_nonce", "nonce_replayed")
        passed(caller.get(PAGE, authorization=caller.bare(answer.challenge["nonce"])))

    def test_first_challenge_is_enough(self, server, caller):
        """The usual course of a client that holds a token only: 401, then 200."""
        answer = server.get(PAGE)
        refused(server, answer, 401, "credentials_required", "credentials_missing", level="info")
        passed(caller.get(PAGE, nonce=answer.challenge["nonce"]))

    def test_made_up(self, server, caller):
        for nonce in (b64url(os.urandom(16)), b64url(b"\x01" + os.urandom(15)), b64url(b"\x02" + bytes(15))):
            answer = caller.get(PAGE, nonce=nonce)
            refused(server, answer, 401, "stale_nonce", "nonce_foreign", level="info")

    def test_one_bit_changed(self, server, caller):
        for bit in (0, 7, 8, 63, 64, 127):
            data = bytearray(from_b64url(caller.generate()))
            data[bit // 8] ^= 1 << (bit % 8)
            answer = caller.get(PAGE, nonce=b64url(bytes(data)))
            refused(server, answer, 401, "stale_nonce", "nonce_foreign", level="info")

    def test_next_nonce_of_another_grant(self, server, caller):
        other = Caller(server).granted()
        answer = server.get(PAGE, {"Authorization": caller.header(other.nonces[0])})
        refused(server, answer, 401, "stale_nonce", "nonce_foreign", level="info")
        passed(other.get(PAGE))

    def test_next_nonce_of_another_participant(self, server, caller):
        other = Caller(server, OTHER, OTHER_SECRET).granted()
        answer = server.get(PAGE, {"Authorization": caller.header(other.nonces[0])})
        refused(server, answer, 401, "stale_nonce", "nonce_foreign", level="info")

    def test_nonce_of_another_server(self, server, caller, make_server):
        there = make_server(Site(config=BASIC))
        answer = caller.get(PAGE, nonce=Caller(there).generate())
        refused(server, answer, 401, "stale_nonce", "nonce_foreign", level="info")


class TestParallel:
    """Honest requests in parallel and out of order all succeed."""

    site = Site(config=BASIC)

    def shuffled(self, server, caller, nonces):
        random.shuffle(nonces)
        values = [caller.header(nonce) for nonce in nonces]
        return together([lambda value=value: server.get(PAGE, {"Authorization": value}).status for value in values])

    def test_16_next_nonces(self, server):
        caller = Caller(server).granted(nonces=16)
        assert self.shuffled(server, caller, caller.nonces) == [200] * 16

    def test_32_next_nonces(self, server):
        caller = Caller(server).granted(nonces=32)
        assert self.shuffled(server, caller, caller.nonces) == [200] * 32

    def test_16_fresh_nonces(self, server, caller):
        assert self.shuffled(server, caller, [caller.generate() for _ in range(16)]) == [200] * 16

    def test_16_clients_that_start_from_their_401(self, server, caller):
        def start():
            first = server.get(PAGE)
            return server.get(PAGE, {"Authorization": caller.header(first.challenge["nonce"])}).status
        assert together([start] * 16) == [200] * 16

    def test_16_chains(self, server):
        """Sixteen workers on one grant, each chaining its own nonces."""
        caller = Caller(server).granted(nonces=16)

        def chain(nonce):
            statuses = []
            for _ in range(8):
                answer = server.get(PAGE, {"Authorization": caller.header(nonce)})
                statuses.append(answer.status)
                nonce = answer.nextnonce
            return statuses
        assert together([lambda nonce=nonce: chain(nonce) for nonce in list(caller.nonces)]) == [[200] * 8] * 16

    def test_each_succeeds_once(self, server):
        caller = Caller(server).granted(nonces=16)
        values = [caller.header(nonce) for nonce in list(caller.nonces)] * 3
        random.shuffle(values)
        server.log.allow("reason=nonce_replayed")
        calls = [lambda value=value: server.get(PAGE, {"Authorization": value}).status for value in values]
        assert together(calls) == [200] * 16 + [401] * 32


class TestWindow:
    site = Site(config=BASIC)

    def test_a_next_nonce_256_behind_is_stale(self, server):
        caller = Caller(server).granted(nonces=3)
        oldest, *caller.nonces = caller.nonces
        with server.connect() as connection:
            for count in range(90):
                connection.send(server.message("GET", PAGE, {"Authorization": caller.header(caller.nonces.pop())},
                                               close=False))
                caller.take(passed(connection.answer()))
        passed(server.get(PAGE, {"Authorization": caller.header(oldest)}))
        held, *caller.nonces = caller.nonces
        newest = caller.nonces
        for count in range(260):
            newest.append(passed(server.get(PAGE, {"Authorization": caller.header(newest.pop())})).nextnonce)
        answer = server.get(PAGE, {"Authorization": caller.header(held)})
        refused(server, answer, 401, "stale_nonce", "nonce_stale", level="info")
        passed(caller.get(PAGE, nonce=answer.challenge["nonce"]))

    def test_more_than_16_fresh_nonces_one_after_another(self, server, caller):
        for _ in range(40):
            passed(server.get(PAGE, {"Authorization": caller.header(caller.generate())}))

    def test_fresh_nonces_below_the_floor(self, server, caller):
        oldest = caller.generate()
        for _ in range(17):
            passed(server.get(PAGE, {"Authorization": caller.header(caller.generate())}))
        answer = server.get(PAGE, {"Authorization": caller.header(oldest)})
        refused(server, answer, 401, "stale_nonce", "nonce_stale", level="info")

    def test_floor_is_the_grants_own(self, server, caller):
        other = Caller(server).granted()
        oldest = caller.generate()
        for _ in range(17):
            passed(server.get(PAGE, {"Authorization": caller.header(caller.generate())}))
        passed(other.get(PAGE, nonce=oldest))

    def test_unused_next_nonces_do_not_run_out(self, server, caller):
        """A caller that only ever spends fresh nonces is handed next nonces without end."""
        first = caller.nonces[0]
        for _ in range(300):
            answer = passed(server.get(PAGE, {"Authorization": caller.header(caller.generate())}))
        passed(caller.get(PAGE, nonce=answer.nextnonce))
        passed(caller.get(PAGE, nonce=first))


class TestLifetime:
    site = Site(config="SAuthNonceLifetime 1\n" + BASIC)

    def test_fresh_nonce_too_old(self, server, caller):
        nonce = caller.generate()
        server.clock.advance(1.2)
        refused(server, caller.get(PAGE, nonce=nonce), 401, "stale_nonce", "nonce_stale", level="info")
        passed(caller.get(PAGE))

    def test_next_nonces_do_not_age(self, server, caller):
        server.clock.advance(1.2)
        passed(caller.get(PAGE))


class TestFlood:
    """Challenges cost nothing: no flood of strangers takes a live nonce away."""

    site = Site(config=BASIC)

    def test_challenges(self, server, caller):
        held_next, held_fresh = caller.nonces[0], caller.generate()
        with server.connect() as connection:
            for _ in range(90):
                connection.send(server.message("GET", PAGE, close=False))
                assert connection.answer().status == 401
        for _ in range(400):
            server.get("/sauth/generate_nonce")
        for nonce in (held_next, held_fresh):
            passed(server.get(PAGE, {"Authorization": caller.header(nonce)}))
