"""The challenge protocol at its endpoint: challenges, tokens, refreshed tokens."""
import hashlib
import os
import time

import pytest

from harness import ENDPOINT, OTHER, Client, Site, UID, location, refused, together
from harness.challenge import DOMAIN, HMAC, MD5, ChallengeClient, Reply, person, rejected, secret_of, window

BOTH = f"SAuthChallenge hmac-sha256 md5\nSAuthChallengeDomain {DOMAIN}\nServerName https://127.0.0.1:@PORT@\n"
APP = location("/cgi-bin/orders", "Require capability read", "SAuthAccept challenge")
CONFIG = ENDPOINT + BOTH + APP
MD5_WARNS = r"\[sauth:warn\] .*SAuthChallenge md5 is for old clients only"
WEAK_DOMAIN = r'\[sauth:warn\] .*SAuthChallengeDomain is not set: challenge secrets are made for the ServerName, %s,'
TARGET = "/cgi-bin/orders"
GONE = "http://gone.example.org"
BARE = "http://bare.example.org"
PEOPLE = [person(), person(OTHER, ["update"], "another password of this one"),
          person(GONE, status="offboarded"), person(BARE, profiles=(), secret=b"sixteen bytes or more"),
          person("http://old.example.org", profiles=(MD5,)), person("http://new.example.org", profiles=(HMAC,))]


def each(function):
    """In both profiles and both formats."""
    function = pytest.mark.parametrize("format", ["json", "xml"])(function)
    return pytest.mark.parametrize("profile", [HMAC, MD5])(function)


class Protocol:
    site = Site(config=CONFIG, participants=PEOPLE, expect=(MD5_WARNS,))

    def user(self, server, profile=HMAC, format="json", **options):
        return ChallengeClient(server, profile=profile, format=format, **options)


class TestFlow(Protocol):
    @each
    def test_request_token_call(self, server, profile, format):
        user = self.user(server, profile, format)
        said = user.request()
        assert said.status == 200
        assert {name: str(value) for name, value in said.response.items()} == {
            "lifetime": "600", "challenge": said.response["challenge"], "profile": profile, "domain": DOMAIN}
        assert said.http.header("Cache-Control") == "no-store"
        token, reply = user.redeem(said.response["challenge"])
        assert reply.response == {"token": token} and reply.http.header("Cache-Control") == "no-store"
        assert server.log.matching(rf'\[sauth:info\] .*sauth: granted participant={UID} capabilities=read,update')
        user.token = token
        assert user.call(TARGET).status == 200

    @each
    def test_refresh(self, server, profile, format):
        user = self.user(server, profile, format).login()
        old = user.token
        assert user.refresh().status == 200
        assert user.token != old and user.call(TARGET).status == 200
        assert user.call(TARGET, token=old).status == 200, "the old token lives until its own expiry"

    def test_application_xml_and_charset(self, server):
        user = self.user(server, format="xml")
        text = user.text("auth.request", {"username": UID})
        response = server.post(user.at, text.encode(), {"Content-Type": 'application/xml; charset="UTF-8"'})
        assert Reply(response, "xml").response["challenge"]

    def test_published_values(self, make_server):
        """A client without profiles: method, username, and MD5."""
        for separator in ("", ":"):
            line = f'SAuthChallengeSeparator "{separator}"\n' if separator else ""
            server = make_server(Site(config=CONFIG + line, participants=[person("guest", password="guest",
                                                                                 separator=separator)],
                                      expect=(MD5_WARNS,)))
            user = ChallengeClient(server, "guest", "guest", MD5, separator=separator)
            said = user.request(profile=None).response
            nonce = str(-(-int(server.clock.time()) // 600) * 600)
            join = lambda *parts: hashlib.md5(separator.join(parts).encode()).hexdigest()  # noqa: E731
            secret = join("guest", hashlib.md5(b"guest").hexdigest(), DOMAIN)
            token = join(said["challenge"], secret, nonce)
            signature = join(token, secret, nonce)
            reply = user.exchange("auth.token", {"challenge": said["challenge"], "signature": signature})
            assert reply.response == {"token": token}

    def test_the_client_cannot_choose_a_longer_lifespan(self, server):
        """A token expires with its window, even if the participant's lifespan is longer."""
        user = self.user(server).login()
        line = server.log.wait(r"sauth: granted participant")[-1]
        until = time.strptime(line.split("until=")[1].split("Z")[0], "%Y-%m-%dT%H:%M:%S")
        end = window(server.clock.time()) + server.site.skew
        assert int(time.mktime(until) - time.timezone) in (end, end + 600), line
        assert user.token


def malformed():
    """name, format, body, outcome."""
    deep = '{"a":' * 40 + "1" + "}" * 40
    xml_deep = "<a>" * 200 + "</a>" * 200
    bomb = ('<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            "<xml><method>auth.request</method><request><username>&b;</username></request></xml>")
    good = '"request":{"username":"x"}'
    yield "no JSON", "json", "username=x", "json_malformed"
    yield "cut", "json", '{"method":"auth.request",', "json_malformed"
    yield "twice", "json", '{"method":"auth.request","method":"auth.token",' + good + "}", "json_duplicate"
    yield "twice within", "json", '{"method":"auth.request","request":{"username":"x","username":"y"}}', "json_duplicate"
    yield "deep", "json", '{"method":"auth.request","request":' + deep + "}", "json_limit"
    yield "array", "json", "[]", "envelope_malformed"
    yield "no method", "json", "{" + good + "}", "envelope_malformed"
    yield "no request", "json", '{"method":"auth.request"}', "envelope_malformed"
    yield "unknown member", "json", '{"method":"auth.request","x":1,' + good + "}", "envelope_malformed"
    yield "strange method", "json", '{"method":"auth request",' + good + "}", "envelope_malformed"
    yield "token outside", "json", '{"method":"auth.request","token":"x",' + good + "}", "envelope_malformed"
    yield "no username", "json", '{"method":"auth.request","request":{}}', "envelope_malformed"
    yield "a number", "json", '{"method":"auth.request","request":{"username":1}}', "envelope_malformed"
    yield "another member", "json", '{"method":"auth.request","request":{"username":"x","y":"z"}}', "envelope_malformed"
    yield "request is text", "json", '{"method":"auth.refresh","request":"x"}', "envelope_malformed"
    yield "no signature", "json", '{"method":"auth.token","request":{"challenge":"' + "0" * 32 + '"}}', "envelope_malformed"
    yield "challenge too short", "json", \
        '{"method":"auth.token","request":{"challenge":"00","signature":"' + "0" * 64 + '"}}', "malformed"
    yield "refresh unsigned", "json", '{"method":"auth.refresh","request":{"token":"' + "0" * 64 + '"}}', \
        "envelope_malformed"
    yield "refresh at no time", "json", '{"method":"auth.refresh","request":{"token":"' + "0" * 64 + '","signature":"' + \
        "0" * 64 + '","nonce":"0123456789abcdef","timestamp":"noon"}}', "timestamp_malformed"
    yield "username too long", "json", '{"method":"auth.request","request":{"username":"' + "x" * 256 + '"}}', "too_long"
    yield "XML cut", "xml", "<xml><method>auth.request</method>", "xml_malformed"
    yield "another root", "xml", "<call><method>auth.request</method><request/></call>", "envelope_malformed"
    yield "entity bomb", "xml", bomb, "xml_forbidden"
    yield "document type", "xml", '<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>', "xml_forbidden"
    yield "instruction", "xml", "<xml><?php x?></xml>", "xml_forbidden"
    yield "XML deep", "xml", f"<xml><method>auth.request</method><request>{xml_deep}</request></xml>", "xml_limit"
    yield "XML twice", "xml", "<xml><method>auth.request</method><method>auth.token</method><request/></xml>", \
        "envelope_malformed"


class TestGrammar(Protocol):
    @pytest.mark.parametrize("format, text, reason", [pytest.param(*row[1:], id=row[0]) for row in malformed()])
    def test_malformed(self, server, format, text, reason):
        user = self.user(server, format=format)
        line = rejected(server, user.post(user.at, text), 400, "malformed_request", reason, format)
        assert ' (' in line or reason in ("malformed", "too_long", "timestamp_malformed"), line

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_unknown_method(self, server, format):
        user = self.user(server, format=format)
        response = user.post(user.at, user.text("auth.forget", {"username": "x"}))
        rejected(server, response, 400, "method_unknown", "call_unknown", format)

    def test_media_type(self, server):
        user = self.user(server)
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=latin1"},
                        {"Content-Type": "application/json", "Content-Encoding": "gzip"}):
            response = server.post(user.at, user.text("auth.request", {"username": "x"}).encode(), headers)
            line = rejected(server, response, 415, "unsupported_media_type", "media_type")
            assert '(JSON or XML expected' in line and "without Content-Encoding" in Reply(response, "json").error["message"]

    def test_too_large(self, server):
        user = self.user(server)
        for chunked in (False, True):
            response = user.post(user.at, user.text("auth.request", {"username": "x" * 70000}), chunked=chunked)
            rejected(server, response, 413, "body_too_large", "body_too_large")

    def test_other_http_methods(self, server):
        refused(server, server.get("/sauth/challenge"), 405, "method_not_allowed", "method_not_allowed")


class TestProfiles:
    site = Site(config=ENDPOINT + f"SAuthChallengeDomain {DOMAIN}\n", participants=PEOPLE)

    def test_md5_is_off_unless_enabled(self, server):
        for username in (UID, "http://nobody.example.org"):
            user = ChallengeClient(server, username)
            rejected(server, user.request(profile=MD5).http, 400, "profile_not_enabled", "profile_not_enabled")
        user = ChallengeClient(server, profile=MD5)
        forged = {"challenge": "0" * 32, "signature": "0" * 32}
        rejected(server, user.exchange("auth.token", forged).http, 400, "profile_not_enabled", "profile_not_enabled")
        user.token = "0" * 32
        rejected(server, user.refresh().http, 400, "profile_not_enabled", "profile_not_enabled")

    def test_without_a_profile(self, server):
        assert ChallengeClient(server).request(profile=None).response["profile"] == HMAC

    def test_unknown_profile(self, server):
        rejected(server, ChallengeClient(server).request(profile="sha1").http, 400, "profile_not_enabled",
                 "profile_not_enabled")

    def test_domain_is_the_server_name_by_default(self, make_server):
        server = make_server(Site(config=ENDPOINT + APP, participants=PEOPLE, expect=(WEAK_DOMAIN % "127.0.0.1",)))
        assert ChallengeClient(server).request().response["domain"] == "127.0.0.1"

    @pytest.mark.parametrize("name, warns", [("localhost", True), ("api.example.org", False), ("7.example.org", False)])
    def test_a_temporary_domain(self, make_server, name, warns):
        """A ServerName that will change is not usable as the domain of secrets."""
        make_server(Site(config=ENDPOINT + APP + f"ServerName {name}\n", participants=PEOPLE,
                         expect=(WEAK_DOMAIN % name,) if warns else ()))

    def test_a_temporary_domain_without_calls(self, make_server):
        make_server(Site(config=ENDPOINT + "ServerName localhost\n"))

    def test_lifetime(self, make_server):
        server = make_server(Site(config=ENDPOINT + f"SAuthChallengeLifetime 3600\nSAuthChallengeDomain {DOMAIN}\n",
                                  participants=PEOPLE))
        user = ChallengeClient(server, lifetime=3600)
        assert user.request().response["lifetime"] == 3600
        user.login()


def shape(response):
    """What an attacker sees of a response, with the parts that always differ masked."""
    headers = [(name, value) for name, value in response.headers if name != "Date"]
    return response.status, headers, len(response.body)


class TestOneOracle(Protocol):
    """Until a signature is verified, responses do not reveal which users exist."""

    @each
    def test_request(self, server, profile, format):
        responses = [self.user(server, profile, format, username=name).request().http
                   for name in (UID, GONE, BARE, "http://nobody.example.org/12")]
        assert len({str(shape(response)) for response in responses}) == 1, responses
        challenges = {Reply(response, format).response["challenge"] for response in responses}
        assert len(challenges) == 4
        assert all(len(text) == 32 and not set(text) - set("0123456789abcdef") for text in challenges)

    @each
    def test_token(self, server, profile, format):
        """Wrong password, no secret, unknown user, and a made-up challenge, of which one in 128 looks genuine."""
        responses = []
        other = {HMAC: MD5, MD5: HMAC}[profile]
        half = next(one["id"] for one in PEOPLE if set(one.get("challenge_secret", ())) == {other})
        for name, reason in ((UID, "mac_mismatch"), (BARE, "secret_missing"), (half, "secret_missing"),
                             ("http://nobody.example.org/12", "participant_unknown"), (None, "challenge_unknown|participant_unknown")):
            user = self.user(server, profile, format, username=name or UID, password="a password that is wrong")
            token, reply = user.redeem(user.challenge() if name else os.urandom(16).hex())
            line = rejected(server, reply.http, 401, "invalid_credentials", reason, format)
            known = f'profile={profile} claimed={name}'
            assert (known in line) == (reason in ("mac_mismatch", "secret_missing")), line
            responses.append(reply.http)
        assert len({str((response.status, [line for line in response.headers if line[0] != "Date"], response.body))
                    for response in responses}) == 1, responses

    def test_unknown_names(self, server):
        """Unknown names are logged only at the request for a challenge."""
        for name, lacks in ((UID, ""), (BARE, " lacks=secret_missing"), ("x" * 255, " lacks=participant_unknown"),
                            ("a\"b\n[core:error] c", " lacks=participant_unknown")):
            self.user(server, username=name).challenge()
            shown = name.replace('"', "%22").replace("\n", "%0A").replace(" ", "%20")
            assert server.log.next(r"sauth: challenged ").endswith(f' claimed={shown} profile={HMAC}{lacks}')

    def test_a_removed_secret(self, server):
        user = self.user(server)
        challenge = user.challenge()
        server.participants([person(profiles=(MD5,))] + PEOPLE[1:])
        server.graceful()
        rejected(server, user.redeem(challenge)[1].http, 401, "invalid_credentials", "secret_missing")
        server.participants(PEOPLE)
        server.graceful()

    def test_another_participants_key(self, server):
        """The challenge for one user, used with the secret of another."""
        user, other = self.user(server), self.user(server, username=OTHER, password="another password of this one")
        token, signature = other.make(user.challenge())
        reply = user.exchange("auth.token", {"challenge": other.challenge(), "signature": user.make("0" * 32)[1]})
        rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch")
        assert other.login().token != token

    def test_signature_of_another_profile(self, server):
        strong, weak = self.user(server), self.user(server, MD5)
        challenge = strong.challenge()
        reply = weak.exchange("auth.token", {"challenge": challenge, "signature": weak.make(challenge)[1]})
        line = rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch")
        assert f'profile={HMAC} claimed={UID} signed_in=md5' in line, line
        for wrong in ("x", "0" * 63, "G" * 64):
            reply = strong.exchange("auth.token", {"challenge": challenge, "signature": wrong})
            line = rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch")
            assert f'profile={HMAC} claimed={UID} signed_in=none' in line, line
        assert strong.redeem(challenge)[1].status == 200, "nothing was used up"


class TestToken(Protocol):
    @each
    def test_wrong_window(self, server, profile, format):
        user = self.user(server, profile, format)
        for windows in (-2, 2):
            _, reply = user.redeem(user.challenge(), str(window(server.clock.time()) + windows * 600))
            rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch", format)

    @each
    def test_superseded(self, server, profile, format):
        """A newer challenge invalidates older ones when it is used, not when it is requested. Each is valid once."""
        user = self.user(server, profile, format)
        older, newer, unused = user.challenge(), user.challenge(), user.challenge()
        assert user.redeem(newer)[1].status == 200
        for challenge in (older, newer):
            rejected(server, user.redeem(challenge)[1].http, 401, "replayed_challenge", "challenge_superseded", format)
        assert user.redeem(unused)[1].status == 200

    def test_requests_for_challenges_lock_nobody_out(self, server):
        user = self.user(server)
        challenge = user.challenge()
        for _ in range(50):
            user.challenge()
        assert user.redeem(challenge)[1].status == 200

    def test_a_wrong_signature_does_not_use_the_challenge(self, server):
        user = self.user(server)
        challenge = user.challenge()
        _, reply = user.redeem(challenge, signature="0" * 64)
        rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch")
        assert user.redeem(challenge)[1].status == 200

    @each
    def test_offboarded(self, server, profile, format):
        user = self.user(server, profile, format, username=GONE)
        rejected(server, user.redeem(user.challenge())[1].http, 403, "participant_inactive", "participant_inactive", format)

    def test_nothing_to_grant(self, make_server):
        server = make_server(Site(config=CONFIG, participants=[person(capabilities=())], expect=(MD5_WARNS,)))
        user = ChallengeClient(server)
        rejected(server, user.redeem(user.challenge())[1].http, 403, "capability_not_held", "capability_not_held")

    def test_expired(self, make_server):
        server = make_server(Site(config=CONFIG, participants=[person(expires="2020-01-01T00:00:00Z")], expect=(MD5_WARNS,)))
        user = ChallengeClient(server)
        rejected(server, user.redeem(user.challenge())[1].http, 403, "participant_expired", "participant_expired")

    def test_another_generation(self, server):
        """A participant that was removed and added again starts anew."""
        user = self.user(server)
        challenge = user.challenge()
        server.participants(PEOPLE[1:])
        server.graceful()
        server.participants(PEOPLE)
        server.graceful()
        rejected(server, user.redeem(challenge)[1].http, 401, "invalid_credentials", "participant_unknown")
        assert user.login().call(TARGET).status == 200

    def test_too_old(self, make_server):
        server = make_server(Site(config=CONFIG + "SAuthChallengeLifetime 60\n", participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server, lifetime=60)
        challenge = user.challenge()
        server.clock.advance(61)
        rejected(server, user.redeem(challenge)[1].http, 401, "stale_challenge", "challenge_expired", level="info")
        assert user.login().call(TARGET).status == 200

    def test_quota(self, make_server):
        server = make_server(Site(config=CONFIG + "SAuthGrantQuota 2\n", participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server).login().login()
        rejected(server, user.redeem(user.challenge())[1].http, 429, "too_many_grants", "grant_quota")

    def test_parallel_workers(self, server):
        """One user in 16 places at once; each gets a token in the end."""
        users = [self.user(server, (HMAC, MD5)[n % 2]) for n in range(16)]
        server.log.allow(r"refused reason=challenge_superseded")
        tokens = together([lambda user=user: user.login().token for user in users])
        assert len(set(tokens)) == 16
        assert together([lambda user=user: user.call(TARGET).status for user in users]) == [200] * 16

    def test_one_challenge_in_16_places(self, server):
        user = self.user(server)
        challenge = user.challenge()
        server.log.allow(r"refused reason=challenge_superseded")
        assert together([lambda: user.redeem(challenge)[1].status for _ in range(16)]) == [200] + [401] * 15

    def test_reloads_in_between(self, server):
        user = self.user(server)
        challenge = user.challenge()
        server.graceful()
        token, reply = user.redeem(challenge)
        assert reply.status == 200
        server.graceful()
        assert user.call(TARGET, token=token).status == 200
        server.restart()
        user.token = token
        assert user.refresh().status == 200


class TestRefresh(Protocol):
    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_replayed(self, server, format):
        user = self.user(server, format=format).login()
        members = user.refresh_members()
        assert user.refresh(members).status == 200
        rejected(server, user.refresh(members).http, 401, "replayed_request", "call_replayed", format)

    @each
    def test_wrong_signature(self, server, profile, format):
        user = self.user(server, profile, format).login()
        wrong = user.refresh_members(signature=user.k("0" * 64, user.window()))
        rejected(server, user.refresh(wrong).http, 401, "invalid_credentials", "mac_mismatch", format)

    def test_the_token_alone_is_not_enough(self, server):
        for profile in (HMAC, MD5):
            user = self.user(server, profile).login()
            reply = user.exchange("auth.refresh", {"token": user.token})
            rejected(server, reply.http, 400, "malformed_request", "envelope_malformed")

    def test_the_signature_of_a_call_is_not_accepted(self, server):
        user = self.user(server).login()
        members = user.call_members("auth.refreshed", {})
        reply = user.exchange("auth.refresh", {name: str(value) for name, value in members.items()})
        rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch")

    @pytest.mark.parametrize("name", ["nonce", "timestamp"])
    def test_unstamped(self, server, name):
        user = self.user(server).login()
        members = user.refresh_members()
        del members[name]
        rejected(server, user.refresh(members).http, 401, "invalid_credentials", "call_unstamped")

    @pytest.mark.parametrize("offset, reason", [(-120, "timestamp_stale"), (120, "timestamp_future")])
    def test_time(self, server, offset, reason):
        user = self.user(server).login()
        reply = user.refresh(user.refresh_members(timestamp=int(server.clock.time()) + offset))
        line = rejected(server, reply.http, 401, "stale_timestamp", reason)
        assert "offset=" in line and UID in line

    def test_timestamp_as_a_number(self, server):
        user = self.user(server).login()
        members = user.refresh_members()
        members["timestamp"] = int(members["timestamp"])
        assert user.refresh(members).status == 200

    def test_unknown_token(self, server):
        for profile in (HMAC, MD5):
            user = self.user(server, profile)
            user.token = os.urandom(32 if profile == HMAC else 16).hex()
            rejected(server, user.refresh().http, 401, "invalid_credentials", "token_unknown")

    def test_not_allowed(self, make_server):
        server = make_server(Site(config=CONFIG, participants=[person(allow_refresh=False)], expect=(MD5_WARNS,)))
        user = ChallengeClient(server).login()
        rejected(server, user.refresh().http, 403, "refresh_not_allowed", "refresh_not_allowed", level="info")

    def test_current_capabilities(self, server):
        user = self.user(server).login()
        server.participants([person(capabilities=["read"])] + PEOPLE[1:])
        server.graceful()
        assert user.refresh().status == 200
        assert 'capabilities=read ' in server.log.wait(r"sauth: granted participant", 2)[-1]
        server.participants(PEOPLE)
        server.graceful()

    @each
    def test_rotated_secret(self, make_server, profile, format):
        server = make_server(Site(config=CONFIG, participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server, profile=profile, format=format).login()
        server.participants([person(password="the next password")])
        server.graceful()
        rejected(server, user.refresh().http, 401, "invalid_credentials", "mac_mismatch", format)
        user.secret = secret_of(profile, password="the next password")
        rejected(server, user.refresh().http, 401, "token_revoked", "secret_rotated", format)

    def test_another_scope(self, make_server):
        config = CONFIG + '<Location "/red">\nSetHandler sauth\nSAuthScope red\nRequire all granted\n</Location>\n'
        server = make_server(Site(config=config, participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server, at="/red/challenge").login()
        assert user.refresh().status == 200
        user.at = "/sauth/challenge"
        rejected(server, user.refresh().http, 403, "wrong_scope", "scope_mismatch")

    def test_parallel(self, server):
        user = self.user(server).login()
        members = [user.refresh_members() for _ in range(16)]
        assert together([lambda one=one: user.refresh(one, keep=False).status for one in members]) == [200] * 16
        server.log.allow(r"refused reason=call_replayed")
        one = user.refresh_members()
        assert together([lambda: user.refresh(one, keep=False).status for _ in range(16)]) == [200] + [401] * 15

    def test_refreshed_by_the_wrong_dialect(self, make_server):
        """Tokens of SAuth and of this protocol are not accepted by the other, and nothing is used up."""
        secret = b"one more secret of some length"
        server = make_server(Site(config=CONFIG, participants=[person(secret=secret)], expect=(MD5_WARNS,)))
        sauth, user = Client(server, secret=secret).granted(), ChallengeClient(server).login()
        refused(server, sauth.refresh(token=user.token), 401, "wrong_presentation", "presentation_mismatch")
        rejected(server, user.refresh(user.refresh_members(token=sauth.token)).http, 401, "invalid_credentials",
                 "mac_mismatch")
        assert user.refresh().status == 200 and sauth.refresh().status == 200


class TestTls:
    """Profile md5 requires TLS, also from this machine: the client may be a proxy that does not name its own client."""

    site = Site(participants=PEOPLE, expect=(MD5_WARNS,), config=CONFIG + """
<VirtualHost *:@PORT@>
    ServerName https://127.0.0.1:@PORT@
</VirtualHost>
<VirtualHost *:@PORT@>
    ServerName plain.example.org
</VirtualHost>
""")
    PLAIN = {"Host": "plain.example.org"}

    def test_cleartext(self, server):
        user = ChallengeClient(server, profile=MD5)
        challenge = user.challenge()
        token, signature = user.make(challenge)
        user.token = token
        texts = [user.text("auth.request", {"username": UID, "profile": MD5}),
                 user.text("auth.token", {"challenge": challenge, "signature": signature})]
        for text in texts:
            rejected(server, user.post(user.at, text, self.PLAIN), 403, "tls_required", "cleartext_refused")
        assert user.redeem(challenge)[1].status == 200, "nothing was used up"
        for target, text in ((user.at, user.text("auth.refresh", user.refresh_members())),
                             (TARGET, user.text("a.b", {}, **user.call_members("a.b", {})))):
            rejected(server, user.post(target, text, self.PLAIN), 403, "tls_required", "cleartext_refused")
            assert user.post(target, text).status == 200

    @pytest.mark.parametrize("at", [TARGET, "/sauth/challenge"])
    def test_at_one_url(self, server, at):
        user = ChallengeClient(server, profile=MD5, at=at)
        response = user.post(at, user.text("auth.request", {"username": UID, "profile": MD5}), self.PLAIN)
        rejected(server, response, 403, "tls_required", "cleartext_refused")

    def test_hmac(self, server):
        user = ChallengeClient(server).login()
        assert user.call(TARGET, headers=self.PLAIN).status == 200
