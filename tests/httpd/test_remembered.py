"""How long used proofs and expired secrets are remembered."""
import time

from harness import (BASIC, Client, ENDPOINT, OTHER, OTHER_SECRET, PAGE, SECRET, Shown, Site, UID, b64url, participant, passed,
                     refused, script)
from harness.signed import ED, opened, turned_away
from harness.signer import Secret, Signer

PEOPLE = [participant(UID, keys=[ED.jwk("ed25519")]), participant(OTHER, ["read"], OTHER_SECRET)]
NEW_SECRET = b"another secret, of as many bytes"


class TestUsedProofsInAFullTable:
    """An entry in use is not given to another proof, however full the table is."""

    site = Site(participants=PEOPLE, config="SAuthReplayCapacity 2\nSAuthReplayQuota 2\nISignReplayCapacity 2\n" + BASIC
                + opened("in", "ISign require", "Require all granted"))

    def test_access_requests(self, server):
        client = Client(server)
        forms = [client.form(client.body()) for _ in range(2)]
        assert [client.submit("request_access", form).status for form in forms] == [200, 200]
        server.clock.advance(20)  # within the skew of 30 seconds
        server.log.allow("reason=(replay_quota|replays_full|access_replayed)")
        for _ in range(3):
            assert client.submit("request_access", client.form(client.body())).status in (429, 503)
        for form in forms:
            refused(server, client.submit("request_access", form), 401, "replayed_request", "access_replayed")

    def test_signatures(self, server, signer):
        signed = [signer.headers("GET", "/in") for _ in range(2)]
        server.log.allow("reason=(replay_quota|replays_full|sig_nonce_replayed)")
        taken = [pairs for pairs in signed if server.get("/in", pairs).status == 200]
        assert taken
        server.clock.advance(200)  # within ISignMaxAge of 300 seconds
        for _ in range(3):
            signer.get("/in", created=int(server.clock.time()))
        for pairs in taken:
            turned_away(server, server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")


class TestExpiringSecrets:
    """`not_after` of one of two secrets applies to access requests, calls and signatures."""

    def site_of(self):
        ends = time.time() + 600
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
        secrets = [{"value": b64url(SECRET), "not_after": stamp}, {"value": b64url(NEW_SECRET)}]
        return Site(participants=[participant(UID, secret=None, shared_secrets=secrets)],
                    config=BASIC + opened("in", "ISign require", "Require all granted"))

    def test_old_and_new(self, make_server):
        server = make_server(self.site_of())
        old, new = Client(server).granted(), Client(server, secret=NEW_SECRET).granted()
        signers = [Signer(server, Secret(secret), UID) for secret in (SECRET, NEW_SECRET)]
        for client in (old, new):
            passed(client.get(PAGE))
        assert [signer.get("/in").status for signer in signers] == [200, 200]
        server.clock.advance(620)
        now = int(server.clock.time())
        refused(server, old.get(PAGE), 401, "invalid_credentials", "mac_mismatch")
        refused(server, old.ask(timestamp=now), 401, "invalid_credentials", "mac_mismatch")
        turned_away(server, signers[0].get("/in", created=now), 401, "invalid_signature", "sig_mismatch")
        passed(new.get(PAGE))
        assert new.ask(timestamp=now).status == 200
        assert signers[1].get("/in", created=now).status == 200


class TestRepeatedRefresh:
    """A repeated refresh gets the same response for 30 seconds, as long as the participant may have it."""

    site = Site(participants=PEOPLE, skew=300, config=BASIC)

    def refreshed(self, server):
        client = Client(server).granted()
        form = client.form(client.body(access_for=None, token=client.token))
        assert client.submit("refresh_access", form).status == 200
        return client, form

    def test_grace_ends(self, server):
        client, form = self.refreshed(server)
        server.clock.advance(29)
        assert client.submit("refresh_access", form).status == 200
        server.clock.advance(3)
        refused(server, client.submit("refresh_access", form), 401, "replayed_request", "access_replayed")

    def test_owner_is_suspended(self, server):
        client, form = self.refreshed(server)
        server.participants([participant(UID, status="suspended")])
        server.graceful()
        refused(server, client.submit("refresh_access", form), 401, "replayed_request", "access_replayed")
        server.participants(PEOPLE)
        server.graceful()


class TestRefreshAfterReplacement:
    """A participant with the index of a removed one does not get its grants."""

    site = Site(participants=[participant(UID)], config="RegistryCapacity 1\n" + BASIC)

    def test_not_owned(self, server):
        token = Client(server).granted().token
        server.participants([participant(OTHER, ["read", "update"], OTHER_SECRET)])
        server.graceful()
        heir = Client(server, OTHER, OTHER_SECRET)
        refused(server, heir.refresh(token=token), 403, "token_unknown", "grant_not_owned")


class TestNeighboursHeaders:
    """Other modules cannot set the headers that only we may set, even if they run late."""

    site = Site(modules=("headers",), config="RequestHeader set SAuth-Participant admin\nRequestHeader set ISign_Result verified\n"
                + BASIC + opened("open", "Require all granted"))

    def test_unprotected(self, server):
        shown = Shown(server.get("/open"))
        assert not [name for name in shown.env if "SAUTH" in name or "ISIGN" in name]

    def test_protected(self, server, client):
        shown = Shown(passed(client.get("/cgi-bin/orders")))
        assert shown.env["SAUTH_PARTICIPANT"] == UID and "HTTP_SAUTH_PARTICIPANT" not in shown.env


class TestPartialBody:
    """A body that the server has partly read is not passed on, in any mode of the location."""

    site = Site(participants=PEOPLE, config="SAuthChallenge hmac-sha256\nSAuthChallengeDomain a.example\n" + ENDPOINT
                + script("orders", "Require capability read", "SAuthAccept challenge\nSAuthMode observe"))

    def test_too_large_to_be_a_call(self, server):
        body = b'{"method":"a","request":"' + b"x" * (3 << 19) + b'"}'
        before = server.journal()
        response = server.post("/orders", body, {"Content-Type": "application/json"}, chunked=True)
        assert response.status == 413 and server.journal() == before, repr(response)
        server.log.expect("(isign|sauth): (would refuse|refused) reason=body_too_large")
        server.log.allow("reason=body_too_large")
