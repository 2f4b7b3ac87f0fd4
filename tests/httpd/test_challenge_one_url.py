"""The challenge protocol at one URL: a client written from the published description logs in where it calls."""
import re

import pytest

from harness import ENDPOINT, Site, UID, location, script
from harness.challenge import DOMAIN, HMAC, MD5, ChallengeClient, Reply, person, rejected

TARGET = "/cgi-bin/orders"
MD5_WARNS = r"\[sauth:warn\] .*SAuthChallenge md5 is for old clients only"
BOTH = f"SAuthChallenge hmac-sha256 md5\nSAuthChallengeDomain {DOMAIN}\nServerName https://127.0.0.1:@PORT@\n"
CALLS = "SAuthAccept challenge"
PEOPLE = [person(allow_refresh=True), person("http://www.example.net", password="another one")]


def each(function):
    function = pytest.mark.parametrize("format", ["json", "xml"])(function)
    return pytest.mark.parametrize("profile", [HMAC, MD5])(function)


def app(*lines, at=TARGET):
    alias = "" if at == TARGET else f'ScriptAlias "{at}" "@ROOT@/cgi-bin/show"\n'
    return alias + location(at, "\n".join(lines), CALLS)


class OneUrl:
    site = Site(participants=PEOPLE, expect=(MD5_WARNS,), config=ENDPOINT + BOTH + "SAuthRefreshWindow 900\n" +
                app("Require capability read") +
                app("<RequireAll>", "Require capability read", "Require not participant http://bad.example.org",
                    "Require call orders.list", "</RequireAll>", at="/rules") +
                app("<RequireAny>", "Require capability read", "Require all granted", "</RequireAny>", at="/open") +
                app("<RequireAll>", "Require capability read", "Require not ip 127.0.0.1", "</RequireAll>",
                    at="/elsewhere") +
                app("Require capability read", "SAuthScope other", at="/other") +
                app("Require capability read", "SAuthMode observe", at="/observed") +
                app("Require capability read", f"ErrorDocument 401 {TARGET}", at="/page") +
                script("both", "Require capability read", "SAuthAccept sauth challenge"))

    def user(self, server, profile=HMAC, format="json", at=TARGET, **options):
        return ChallengeClient(server, profile=profile, format=format, at=at, **options)


class TestFlow(OneUrl):
    @each
    def test_login_call_refresh(self, server, profile, format):
        user = self.user(server, profile, format)
        said = user.request()
        assert said.response["domain"] == DOMAIN and said.http.header("Cache-Control") == "no-store"
        assert said.http.header("WWW-Authenticate") is None
        token, reply = user.redeem(said.response["challenge"])
        assert reply.response == {"token": token} and reply.http.header("Cache-Control") == "no-store"
        user.token = token
        assert user.call(user.at).status == 200
        assert user.refresh().status == 200 and user.token != token
        assert user.call(user.at).status == 200

    @pytest.mark.parametrize("at", ["/rules", "/open", "/both", "/page"])
    def test_rules_about_clients_do_not_stop_a_login(self, server, at):
        user = self.user(server, at=at).login()
        assert user.call(at).status == 200

    def test_both_urls_are_one(self, server):
        """A challenge from one can be used at the other, and a token from either is valid at both."""
        user, at_endpoint = self.user(server), ChallengeClient(server)
        token, reply = at_endpoint.redeem(user.challenge())
        assert reply.response == {"token": token}
        token, reply = user.redeem(at_endpoint.challenge())
        assert reply.response == {"token": token}
        assert user.call(TARGET, token=token).status == 200

    def test_kept_connection(self, server):
        user = self.user(server)
        with server.connect() as line:
            for _ in range(3):
                text = user.text("auth.request", {"username": UID}).encode()
                line.send(server.message("POST", TARGET, {"Content-Type": "application/json"}, text, close=False))
                assert Reply(line.response("POST"), "json").response["challenge"]

    def test_the_app_does_not_see_it(self, server):
        response = self.user(server).request().http
        assert "SAUTH_" not in response.text and response.json["response"]["lifetime"] == 600


class TestRestrictions(OneUrl):
    def test_address_rules_hold(self, server):
        response = self.user(server, at="/elsewhere").post("/elsewhere", "{}")
        assert response.status == 403
        response = server.post("/elsewhere", b'{"method":"auth.request","request":{"username":"x"}}',
                             {"Content-Type": "application/json"})
        assert response.status == 403
        server.log.allow(r"AH0163[01]|rule_not_met")

    def test_scope(self, server):
        """A login is valid in the scope of its URL."""
        user = self.user(server, at="/other").login()
        assert user.call("/other").status == 200
        rejected(server, user.call(TARGET), 403, "wrong_scope", "scope_mismatch")

    def test_too_large(self, server):
        user = self.user(server)
        text = user.text("auth.request", {"username": "x" * 70000})
        rejected(server, user.post(TARGET, text), 413, "body_too_large", "body_too_large")
        assert user.login().call(TARGET, request={"page": "x" * 70000}).status == 200

    @each
    def test_verified_client_is_refused(self, server, profile, format):
        """Its signature is right, its challenge is used up: the refusal is a response, and no child ends."""
        user = self.user(server, profile, format)
        challenge = user.challenge()
        assert user.redeem(challenge)[1].status == 200
        rejected(server, user.redeem(challenge)[1].http, 401, "replayed_challenge", "challenge_superseded", format)

    def test_error_page_of_a_verified_client(self, server):
        """The page for its refusal is not open to it either."""
        user = self.user(server, at="/page")
        challenge = user.challenge()
        text = user.text("auth.token", {"challenge": challenge, "signature": user.make(challenge)[1]})
        assert [user.post("/page", text).status for _ in range(2)] == [200, 401]
        for path in ("/page", TARGET):
            server.log.expect(f"refused reason=challenge_superseded .*location={path} ")

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_token_beside_the_request(self, server, format):
        user = self.user(server, format=format)
        response = user.post(TARGET, user.text("auth.request", {"username": UID}, token="x", signature="y"))
        rejected(server, response, 400, "malformed_request", "envelope_malformed", format)

    def test_authorization_decides(self, server):
        user = self.user(server, at="/both")
        response = user.post(user.at, user.text("auth.request", {"username": UID}), {"Authorization": "SAuth x"})
        assert response.status == 401 and response.problem["code"] == "invalid_credentials"
        server.log.expect("refused reason=authorization_malformed")

    def test_observed_calls_reach_the_app(self, server):
        user = self.user(server)
        response = user.post("/observed", user.text("auth.request", {"username": UID}))
        assert response.status == 200 and b"challenge" not in response.body.split(b"\n")[0]
        server.log.expect("would refuse reason=credentials_missing")

    @each
    def test_one_oracle(self, server, profile, format):
        def masked(reply):
            pairs = [(name, value) for name, value in reply.http.headers if name != "Date"]
            return re.sub('realm="[^"]*"', "", repr((reply.status, pairs, len(reply.http.body))))

        shapes = set()
        for at in (TARGET, "/sauth/challenge"):
            for who in (UID, "http://nobody.example.org"):
                user = self.user(server, profile, format, at, username=who, password="wrong")
                said = user.request()
                shapes.add(masked(said))
                _, reply = user.redeem(said.response["challenge"])
                line = rejected(server, reply.http, 401, "invalid_credentials", "mac_mismatch|participant_unknown", format)
                assert 'call=auth.token' in line and f'location={at}' in line
                shapes.add(masked(reply))
        assert len(shapes) == 2, shapes

    def test_refused_on_the_page_for_it_too(self, server):
        """An error document at another location of calls does not process the call again."""
        user = self.user(server, at="/page")
        request = {"challenge": user.challenge(), "signature": "0" * 64}
        assert user.post(user.at, user.text("auth.token", request)).status == 401
        server.log.expect("refused reason=mac_mismatch")

    def test_other_http_methods(self, server):
        response = server.request("PUT", TARGET, {"Content-Type": "application/json"},
                                b'{"method":"auth.request","request":{"username":"x"}}')
        assert response.status == 401
        server.log.expect("refused reason=credentials_missing")


class TestEndpoint(OneUrl):
    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_a_refused_call_names_the_url_for_calls(self, server, format):
        user = self.user(server, format=format).login()
        response = user.call("/sauth/challenge")
        line = rejected(server, response, 400, "method_unknown", "call_unknown", format)
        assert "URL of the application" in Reply(response, format).error["message"] and 'call=orders.list' in line


class TestProxied:
    """The application is behind mod_proxy, which claims requests by their file name."""

    site = Site(participants=PEOPLE, expect=(MD5_WARNS,), backend=Site(ours=(), participants=None),
                config=ENDPOINT + BOTH + 'ProxyPass "/far/" "http://127.0.0.1:@BACKEND@/cgi-bin/"\n' +
                location("/far/", "Require capability read", CALLS))

    def test_login_and_call(self, server):
        user = ChallengeClient(server, at="/far/show").login()
        assert user.call(user.at).status == 200


class TestBesideOthers:
    """Sub-requests, internal redirects, and a location that requires signatures."""

    site = Site(participants=PEOPLE, expect=(MD5_WARNS,), modules=("rewrite",), config=ENDPOINT + BOTH +
                "RewriteEngine On\nRewriteRule ^/ahead$ - [E=AHEAD:%{LA-U:REMOTE_USER}]\n" +
                app("Require capability read", at="/ahead") + app("Require capability read") +
                app("Require capability read", "ISign require", at="/signed") +
                f'Redirect 404 /gone\n<Location "/gone">\nErrorDocument 404 {TARGET}\n</Location>\n')

    def test_look_ahead(self, server):
        user = ChallengeClient(server, at="/ahead").login()
        assert user.call(user.at).status == 200
        assert not server.log.matching("refused reason=")

    def test_an_unsigned_login_where_signatures_are_required(self, server):
        user = ChallengeClient(server, at="/signed")
        response = user.post(user.at, user.text("auth.request", {"username": UID}))
        assert response.status in (400, 401) and b'"challenge"' not in response.body
        server.log.expect("isign: refused reason=")

    def test_no_login_on_an_error_page(self, server):
        user = ChallengeClient(server, at="/gone")
        response = user.post(user.at, user.text("auth.request", {"username": UID}))
        assert response.status >= 400 and b'"lifetime"' not in response.body
        server.log.allow("refused reason=")
