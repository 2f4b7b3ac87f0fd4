"""Signed requests are accepted once, and failing ones are limited."""
import base64
import re
import time

import pytest

from harness import OTHER, SECRET, Shown, Site, UID, participant, together
from harness.signed import BODY, ED, JSON, KEYS, OLD, PEOPLE, STRANGER, opened, turned_away, untouched
from harness.signer import COVER, Secret, Signer


class TestReplay:
    site = Site(participants=PEOPLE, config=opened("in") + opened("slow") + opened("obs", "ISign digest", "ISignMode observe",
                                                                                   "Require all granted"))

    def test_once(self, server, signer):
        pairs = signer.headers("POST", "/in", JSON, BODY)
        assert server.post("/in", BODY, pairs).status == 200
        for _ in range(3):
            untouched(server, lambda: server.post("/in", BODY, pairs), 401, "signature_replayed", "sig_nonce_replayed")

    def test_nonce_in_another_signature(self, server, signer):
        """A nonce belongs to the participant: another key, label or request does not make it new."""
        assert signer.get("/in", nonce="one-and-only").status == 200
        for key, keyid in ((KEYS["rsa-pss-sha512"], UID + "#rsa-pss-sha512"), (Secret(SECRET), UID)):
            untouched(server, lambda: Signer(server, key, keyid).get("/in?x", nonce="one-and-only", label="x"), 401,
                      "signature_replayed", "sig_nonce_replayed")
        assert Signer(server, STRANGER, OTHER + "#theirs").get("/in", nonce="one-and-only").status == 200

    def test_other_half_of_the_group(self, server):
        """ECDSA has two signatures (r, s) and (r, n - s) for each: the bytes of a signature do not identify it."""
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        signer = Signer(server, KEYS["ecdsa-p256-sha256"], UID + "#ecdsa-p256-sha256")
        pairs = dict(signer.headers("GET", "/in"))
        assert server.get("/in", pairs).status == 200
        made = base64.b64decode(pairs["Signature"].split(":")[1])
        other = made[:32] + (order - int.from_bytes(made[32:], "big")).to_bytes(32, "big")
        pairs["Signature"] = f"sig1=:{base64.b64encode(other).decode()}:"
        untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")

    def test_parallel(self, server, signer):
        """Only one of several parallel requests is accepted, by whichever worker."""
        for _ in range(5):
            pairs = signer.headers("GET", "/in")
            before = len(server.journal())
            server.log.allow("isign: refused reason=sig_nonce_replayed")
            assert together([lambda: server.get("/in", pairs).status] * 16) == [200] + [401] * 15
            assert len(server.journal()) == before + 1

    def test_parallel_of_many(self, server, signer):
        stamp = signer.stamp()
        assert together([lambda: signer.get("/in", created=stamp).status] * 24) == [200] * 24

    def test_a_bad_signature_uses_nothing_up(self, server, signer):
        for changed in (dict(key=OLD), dict(cover=COVER[1:])):
            response = signer.get("/in", nonce=f"kept {changed}"[:40], **changed)
            server.log.allow("isign: refused")
            assert response.status == 401
        assert signer.get("/in", nonce=f"kept {dict(key=OLD)}"[:40]).status == 200

    def test_after_restarts(self, server, signer):
        """Used nonces survive a reload, a killed child, and a restart, because the parent process stays."""
        used = [signer.headers("GET", "/in") for _ in range(8)]
        for pairs in used:
            assert server.get("/in", pairs).status == 200
        for again in (server.graceful, server.restart):
            again()
            for pairs in used:
                untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")
        server.kill(server.served_by()[-1])
        server.log.allow("AH00052|AH0")
        for pairs in used:
            untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")
        assert signer.get("/in").status == 200

    def test_observed_is_used_up_too(self, server, signer):
        pairs = signer.headers("GET", "/obs")
        assert Shown(server.get("/obs", pairs)).env["ISIGN_RESULT"] == "verified"
        server.log.expect("isign: would refuse reason=sig_nonce_replayed")
        shown = Shown(server.get("/obs", pairs))
        assert shown.env["ISIGN_RESULT"] == "sig_nonce_replayed" and "ISIGN_PARTICIPANT" not in shown.env


class TestCapacity:
    site = Site(participants=PEOPLE, config="ISignReplayCapacity 16\n" + opened("in"))

    def test_quota(self, server, signer):
        """One participant may use an eighth of the capacity; another participant is still accepted."""
        for _ in range(2):
            assert signer.get("/in").status == 200
        untouched(server, lambda: signer.get("/in"), 429, "too_many_requests", "replay_quota")
        assert Signer(server, STRANGER, OTHER + "#theirs").get("/in").status == 200

    def test_change_needs_a_stop(self, server):
        server.configure("ISignReplayCapacity 32\n" + opened("in"))
        server.graceful()
        assert server.log.wait("ISignReplayCapacity 32 takes effect after a stop and start; until then it is 16")


class TestFailures:
    """A client whose signatures fail is refused without a verification; other clients are not."""

    site = Site(participants=PEOPLE, config=opened("in"))

    def spend(self, server, keyid, source):
        """Statuses of many bad signatures in a row, from one address."""
        statuses = []
        signer = Signer(server, OLD, keyid)
        server.log.allow("isign: refused reason=(sig_mismatch|sig_key_unknown|verifications_full)")
        while len(statuses) < 1500 and statuses[-1:] != [429]:
            with server.connect(source=source) as connection:
                for _ in range(100):
                    connection.send(server.message("GET", "/in", signer.headers("GET", "/in"), close=False))
                    try:
                        statuses.append(connection.response().status)
                    except EOFError:
                        break
        return statuses

    @pytest.mark.parametrize("keyid, source", [(UID + "#ed25519", "127.0.0.21"), ("http://nobody.example#x", "127.0.0.22"),
                                               ("http://nobody.example", "127.0.0.23")])
    def test_too_many(self, server, keyid, source):
        """Unknown keyids are treated alike: the refusal does not reveal whether a keyid exists."""
        statuses = self.spend(server, keyid, source)
        assert statuses[-1] == 429 and len(statuses) > 200 and set(statuses[:200]) == {401}
        responses = []
        for _ in range(30):  # each child counts for itself
            with server.connect(source=source) as connection:
                connection.send(server.message("GET", "/in", Signer(server, OLD, keyid).headers("GET", "/in")))
                responses.append(connection.response())
        full = [one for one in responses if one.status == 429]
        if full:
            turned_away(server, full[0], 429, "too_many_requests", "verifications_full")
        assert Signer(server, ED, UID + "#ed25519").get("/in").status == 200, "another address"
        with server.connect(source=source) as connection:
            connection.send(server.message("GET", "/in", Signer(server, STRANGER, OTHER + "#theirs").headers("GET", "/in")))
            assert connection.response().status == 200, "another key"
        time.sleep(0.3)
        server.log.allow("isign: refused")

    def test_forgiven(self, server):
        source, keyid = "127.0.0.24", UID + "#ed25519"
        assert self.spend(server, keyid, source)[-1] == 429
        server.clock.advance(1)
        for _ in range(3):
            with server.connect(source=source) as connection:
                connection.send(server.message("GET", "/in", Signer(server, ED, keyid).headers("GET", "/in")))
                assert connection.response().status == 200


class TestFaultLines:
    """A repeated fault is logged once in ten seconds by each process, with the number of suppressed lines."""

    people = [(f"http://p{number}.example.org", b"secret of participant %d" % number) for number in range(9)]
    site = Site(participants=[participant(uid, ["read"], secret) for uid, secret in people],
                config="ISignReplayCapacity 8\n" + opened("in"))

    def test_full_table(self, server):
        signers = [Signer(server, Secret(secret), uid) for uid, secret in self.people]
        assert [one.get("/in").status for one in signers[:8]] == [200] * 8
        server.log.expect("isign: refused reason=replays_full")
        began, asked = time.monotonic(), 0
        while asked < 100 or time.monotonic() - began < 2:
            response = signers[8].get("/in")
            assert response.status == 503 and response.problem["code"] == "unavailable", repr(response)
            asked += 1
        spans = int((time.monotonic() - began) / 10) + 1
        lines = server.log.wait("reason=replays_full")
        processes = {re.search(r"\[pid (\d+)", line).group(1) for line in lines}
        assert len(lines) <= spans * len(processes) and len(processes) <= 3
        server.clock.advance(10.5)
        deadline = time.monotonic() + 20
        while not server.log.matching("isign: refused reason=replays_full.* suppressed="):
            assert time.monotonic() < deadline
            assert signers[8].get("/in").status == 503
        counts = [int(count) for count in re.findall(r"suppressed=(\d+)", "\n".join(server.log.matching("replays_full")))]
        assert 0 < sum(counts) <= asked + 2 * len(counts) + 50

    def test_refusals_are_all_said(self, server):
        """Only faults are rate-limited."""
        signer = Signer(server, Secret(self.people[0][1]), self.people[0][0])
        server.log.allow("isign: refused reason=(replay_quota|replays_full)")
        for _ in range(30):
            assert signer.get("/in").status in (429, 503)
        server.log.wait("reason=replay_quota", 30)
