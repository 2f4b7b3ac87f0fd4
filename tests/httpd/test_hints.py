"""Hints for the solution of a problem, in the log and in responses to authenticated clients."""
import pytest

from harness import ENDPOINT, OTHER_SECRET, PEOPLE, Client, Site, UID, refused, script
from harness.challenge import DOMAIN, ChallengeClient, person

GUEST = "http://guest.example.org"
OFFSET = {-1000: r"-(999|100[0-2])\b", 1000: r"\+(99[7-9]|1000)\b"}


class TestHints:
    site = Site(modules=("authz_user",), participants=PEOPLE + [person(GUEST, ["read"])], config=ENDPOINT +
                f"SAuthChallengeDomain {DOMAIN}\n" +
                script("read", "Require capability read") + script("update", "Require capability update") +
                script("neither", "Require capability nothing delete") +
                script("any", 'Require capability "%{req:X-Wanted}"') +
                script("calls", "Require capability update", "SAuthAccept challenge") +
                script("signed", "Require capability read", "SAuthAccept signature\nISign optional"))

    def detail(self, server, response):
        refused(server, response, 403, "insufficient_capability", "capability_missing")
        return response.problem.get("detail")

    # a wrong MAC

    def test_wrong_mac_of_a_known_token(self, server):
        client = Client(server).granted("read")
        response = server.get("/read", {"Authorization": client.header(secret=OTHER_SECRET)})
        line = refused(server, response, 401, "invalid_credentials", "mac_mismatch")
        assert f' claimed={UID}' in line and "participant=" not in line

    def test_unmatched_bare_form(self, server):
        client = Client(server).granted("read")
        response = server.get("/read", {"Authorization": client.bare(client.nonces[0], secret=OTHER_SECRET)})
        line = refused(server, response, 401, "invalid_credentials", "bare_unmatched", level="info")
        assert f' claimed={UID}' in line

    def test_unknown_token_claims_nothing(self, server):
        client = Client(server).granted("read")
        response = server.get("/read", {"Authorization": client.header(token="0" * len(client.token))})
        assert "claimed=" not in refused(server, response, 401, "invalid_credentials", "token_unknown", level="(?:info|warn)")

    # a capability that is missing

    def test_the_grant_lacks_it(self, server):
        said = self.detail(server, Client(server).granted("read").get("/update"))
        assert said == 'The capability "update" is required. Request a grant that includes it, as with: ' \
                       "interauth grant --capability update"

    def test_the_participant_lacks_it(self, server):
        said = self.detail(server, Client(server).granted("read").get("/neither"))
        assert said == 'One of the capabilities "nothing", "delete" is required. This participant does not have it; ' \
                       "the administrator of this service can add it"

    @pytest.mark.parametrize("wanted, said", [("update", '"update"'), ("a,b", None), ("\xff", None), ("", None)])
    def test_a_rule_that_the_request_makes(self, server, wanted, said):
        detail = self.detail(server, Client(server).granted("read").get("/any", {"X-Wanted": wanted}))
        assert said in detail if said else detail is None

    def test_in_the_words_of_the_challenge_protocol(self, server):
        user = ChallengeClient(server, username=GUEST).login()
        response = user.call("/calls")
        server.log.expect("refused reason=capability_missing")
        server.log.allow("AH0163")
        assert response.status == 403
        assert 'The capability "update" is required. This participant does not have it' in response.json["error"]["message"]

    # a proxy that takes Authorization away

    @pytest.mark.parametrize("name", ["Via", "X-Forwarded-For", "Forwarded"])
    def test_no_authorization_through_a_proxy(self, server, name):
        line = refused(server, server.get("/read", {name: "x"}), 401, "credentials_required", "credentials_missing", level="info")
        assert f" hint=proxy (Authorization is missing and {name} is present: check that the proxy passes Authorization on)" in line

    def test_no_authorization_and_no_proxy(self, server):
        line = refused(server, server.get("/read"), 401, "credentials_required", "credentials_missing", level="info")
        assert "hint=" not in line

    def test_nobody_expects_authorization(self, server):
        response = server.get("/signed", {"Via": "x"})
        server.log.expect("refused reason=credentials_missing")
        assert response.status == 401 and not server.log.matching('reason=credentials_missing location=/signed hint=')

    # clocks

    @pytest.mark.parametrize("off, code, reason", [(-1000, "stale_timestamp", "timestamp_stale"),
                                                   (1000, "future_timestamp", "timestamp_future")])
    def test_clock_of_an_access_request(self, server, off, code, reason):
        client = Client(server)
        response = client.ask(timestamp=int(server.clock.time()) + off)
        assert response.status == 401
        server.log.expect(rf"refused reason={reason} .* offset={OFFSET[off]}")

    @pytest.mark.parametrize("off, reason", [(-1000, "timestamp_stale"), (1000, "timestamp_future")])
    def test_clock_of_a_call(self, server, off, reason):
        user = ChallengeClient(server, username=GUEST).login()
        assert user.call("/calls", timestamp=int(server.clock.time()) + off).status == 401
        server.log.expect(rf"refused reason={reason} .* offset={OFFSET[off]}")
