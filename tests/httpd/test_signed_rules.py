"""Signatures together with grants and other rules, redirects, caches and proxies."""
import re

import pytest

from harness import Client, ENDPOINT, OTHER, Shown, Site, UID, digest, location, script
from harness.signed import BODY, ED, JSON, OLD, PEOPLE, STRANGER, opened, turned_away, untouched
from harness.signer import COVER, Signer


def beside(name, rules, *more):
    return script(name, rules, "\n".join(("ISign digest",) + more))


NOT_HEARD = r"isign: .*httpd.conf:\d+: (Require (not )?signed( @method)?|SAuthAccept sauth signature), but ISign is off there"


def log_details(line):
    """The fields of a log line, by name."""
    return dict(re.findall(r" (?!reason=)(\w+)=(\S+)", line))


class TestRemarks:
    """The log line of a refusal names the signer and what the signature lacks."""

    site = Site(participants=PEOPLE, config=opened("in") + opened("watched", "ISign digest", "ISignMode observe", "Require signed content-digest")
                + opened("digest", "ISign digest", "Require signed content-digest x-order @method"))

    def line(self, server, response, reason):
        server.log.expect(rf"isign:warn.* refused reason={reason} ")
        server.log.allow("AH01630")
        assert response.status in (400, 401, 403)
        line = server.log.next(rf"isign: refused reason={reason} ")
        assert not re.search(r"[A-Za-z0-9+/]{80}", line), "a signature?"
        return line

    def refused(self, *what):
        return log_details(self.line(*what))

    @pytest.mark.parametrize("key, keyid, reason", [(ED, UID + "#none", "sig_key_unknown"),
                                                    (OLD, UID + "#ed25519", "sig_mismatch"),
                                                    (ED, OTHER + "#ed25519", "sig_key_unknown")])
    def test_claimed(self, server, key, keyid, reason):
        said = self.refused(server, Signer(server, key, keyid).get("/in"), reason)
        assert said == {"claimed": keyid.split("#")[0], "keyid": keyid, "location": "/in"}

    def test_thumbprints(self, server):
        """A thumbprint as keyid: the log names the owner of the key if it is known."""
        said = self.refused(server, Signer(server, OLD, ED.thumbprint()).get("/in"), "sig_mismatch")
        assert said == {"claimed": UID, "keyid": ED.thumbprint(), "location": "/in"}

    @pytest.mark.parametrize("keyid, claimed, shown", [
        ('no" participant="you#k', "no%22%20participant=%22you", "no%22%20participant=%22you#k"), ("a#b#c", "a#b", "a#b#c"),
        ("x-" * 2000,) + ("x-" * 150 + "..",) * 2, ("", "-", "-")], ids=("quotes", "hashes", "long", "empty"))
    def test_strangers(self, server, keyid, claimed, shown):
        line = self.line(server, Signer(server, ED, keyid).get("/in"), "sig_key_unknown")
        assert line.endswith(f' location=/in claimed={claimed} keyid={shown}') and ' participant=' not in line

    def test_replayed(self, server, signer):
        pairs = signer.headers("GET", "/in")
        assert server.get("/in", pairs).status == 200
        said = self.refused(server, server.get("/in", pairs), "sig_nonce_replayed")
        assert said == {"participant": UID, "keyid": UID + "#ed25519", "location": "/in"}

    def test_times(self, server, signer):
        for offset, reason in ((-400, "sig_created_old"), (45, "sig_created_future")):
            response = signer.get("/in", created=int(server.clock.time()) + offset)
            self.refused(server, response, reason)
            server.log.wait(rf'refused reason={reason} participant={UID} .* offset={re.escape(f"{offset // 10:+d}")}\d$')

    def test_components(self, server, signer):
        said = self.refused(server, signer.get("/in", cover=("@method", "@path")), "sig_component_missing")
        assert said == {"participant": UID, "keyid": UID + "#ed25519", "location": "/in", "missing": "@authority,@query"}

    def test_authority(self, server, signer):
        response = signer.get("/in", authority=f"shop.example:{server.port + 1}", host=f"shop.example:{server.port + 1}")
        said = self.refused(server, response, "sig_authority_foreign")
        assert said["authority"] == f"shop.example:{server.port + 1}" and said["participant"] == UID

    def test_narrow(self, server, signer):
        """A GET without a digest: the log line names the missing component."""
        said = self.refused(server, signer.get("/digest"), "insufficient_coverage")
        assert said == {"participant": UID, "location": "/digest", "missing": "content-digest,x-order"}

    def test_observed(self, server, signer):
        server.log.expect(rf'isign: would refuse reason=insufficient_coverage participant={UID} .*missing=content-digest')
        assert signer.get("/watched").status == 200
        server.log.expect(rf'isign: would refuse reason=sig_mismatch location=/watched claimed={UID} keyid={UID}#ed25519')
        server.log.expect('isign: would refuse reason=signature_required location=/watched$')
        assert signer.get("/watched", key=OLD).status == 200

    def test_nothing_chosen(self, server):
        said = self.refused(server, server.get("/in", {"Signature-Input": "x", "Signature": "x"}), "sig_not_bytes")
        assert said == {"location": "/in"}


ON, WANTS = "ISign digest", "Require signed"


def at(path, *lines, kind="Location"):
    return f"<{kind} {path}>\n" + "\n".join(lines) + f"\n</{kind}>\n"


class TestGuard:
    """Required where ISign is off, a signature refuses every request: `httpd -t` warns where this is certain."""

    @pytest.fixture
    def said(self, make_server):
        server = make_server(Site(participants=PEOPLE), start=False)

        def check(config):
            server.configure(config)
            accepted, text = server.check()
            assert accepted, text
            return len(re.findall(NOT_HEARD, text))
        return check

    @pytest.mark.parametrize("config", [
        at("/a", WANTS), at("/a", WANTS) + at("/b", ON, WANTS), at("/a", WANTS, "ISign off"),
        at("/ab", WANTS) + at("/a", ON), at('"/a"', "<RequireAny>", WANTS + " @method", "</RequireAny>"),
        at("/a", "<Limit POST>", WANTS, "</Limit>"), at("/a", "AuthType SAuth", "SAuthAccept sauth signature",
                                                        "Require capability read"),
        at("/a", "<RequireAll>", "Require all granted", "Require not signed", "</RequireAll>"),
        at("*:1", at("/a", WANTS), kind="VirtualHost") + at("*:2", ON, kind="VirtualHost")])
    def test_certain(self, said, config):
        assert said(config) == 1

    @pytest.mark.parametrize("config", [
        at("/a", ON, WANTS), at("/a", WANTS, "ISign digest", "ISignMode observe"), ON + "\n" + at("/a", WANTS), at("/a/b", WANTS) + at("/a/", ON),
        at('"/a"', WANTS) + at("/a", ON), at("/a", WANTS) + at("/a/b", ON), at("/a", WANTS) + at("^/a", ON, kind="LocationMatch"),
        at("/a", WANTS) + at("@ROOT@/htdocs", ON, kind="Directory"), at("/a", WANTS) + at("/*/", ON),
        at("*:1", at("/a", WANTS), kind="VirtualHost") + ON, at("/a", "Require all granted", "SAuthAccept sauth"),
        at("/a", ON, "<RequireAny>", WANTS, "</RequireAny>"), at("/", ON) + at("/a", WANTS)])
    def test_may_be_heard(self, said, config):
        assert said(config) == 0


class TestRules:
    """Require signed and SAuth, alone and together."""

    site = Site(participants=PEOPLE, modules=("authz_user", "auth_basic", "authn_file"), expect=(NOT_HEARD,), config=ENDPOINT
                + opened("alone") + opened("digest", "ISign digest", "Require signed content-digest x-order")
                + opened("either", "ISign digest", "<RequireAny>", "Require signed", "Require ip 127.0.0.1", "</RequireAny>")
                + opened("elsewhere", "ISign digest", "<RequireAny>", "Require signed", "Require ip 10.0.0.1",
                         "</RequireAny>")
                + opened("watched", "ISign digest", "ISignMode observe", "Require signed")
                + opened("unheard", "Require signed")
                + beside("both", "<RequireAll>\nRequire capability read\nRequire signed @method\n</RequireAll>")
                + beside("any", "<RequireAny>\nRequire capability read\nRequire signed\n</RequireAny>")
                + beside("only", "Require capability read", "SAuthAccept signature")
                + beside("accepts", "Require capability update", "SAuthAccept sauth signature")
                + beside("open", "<RequireAny>\nRequire all granted\nRequire capability read\n</RequireAny>",
                         "SAuthAccept signature")
                + beside("grant", "Require capability read")
                + beside("quiet", "Require signed"))

    def test_alone(self, server, signer):
        response = untouched(server, lambda: server.get("/alone"), 403, "signature_required", "signature_required")
        assert re.fullmatch(r'sig1=\("@method" "@authority" "@path" "@query"\);created;nonce="[\w-]{22}"', response.header("Accept-Signature"))
        response = untouched(server, lambda: server.post("/alone", BODY, JSON), 403, "signature_required",
                           "signature_required")
        assert response.header("Accept-Signature").startswith('sig1=("@method" "@authority" "@path" "@query" "content-type" '
                                                            '"content-digest");created;nonce="')
        assert signer.get("/alone").status == 200

    def test_components(self, server, signer):
        pairs = {"X-Order": "7"}
        full = COVER + ("content-digest", "x-order")
        response = untouched(server, lambda: signer.post("/digest", BODY, pairs, cover=full[:-1]), 403,
                           "signature_component_missing", "insufficient_coverage")
        assert response.header("Accept-Signature")
        for cover in (full, full[:-1] + ('"x-order";bs',)):
            assert signer.post("/digest", BODY, pairs, cover=cover).status == 200

    def test_one_of_two(self, server, signer):
        """A request that another rule grants was not refused: no log line, no Accept-Signature, no problem."""
        response = server.get("/either")
        assert response.status == 200 and response.header("Accept-Signature") is None
        assert signer.get("/either").status == 200
        assert not server.log.matching("refused")
        untouched(server, lambda: server.get("/elsewhere"), 403, "signature_required", "signature_required")
        assert len(server.log.matching("refused reason=signature_required")) == 1
        untouched(server, lambda: signer.get("/either", key=OLD), 401, "invalid_signature", "sig_mismatch")

    def test_observed(self, server, signer):
        server.log.expect("isign: would refuse reason=signature_required")
        assert Shown(server.get("/watched")).env["ISIGN_RESULT"] == "none"
        server.log.expect("isign: would refuse reason=sig_mismatch")
        assert Shown(signer.get("/watched", key=OLD)).env["ISIGN_RESULT"] == "sig_mismatch"

    def test_without_isign(self, server, signer):
        """No request can be granted: this is logged, but rate-limited."""
        server.log.allow("isign: Require signed where ")
        for _ in range(20):
            turned_away(server, signer.get("/unheard"), 403, "signature_required", "signature_required")
        lines = server.log.wait(r'\[isign:warn\] .*isign: Require signed where ISign is off.* location=/unheard')
        assert len(lines) <= len(server.children())
        turned_away(server, signer.get("/unheard"), 403, "signature_required", "signature_required")

    def test_both(self, server, signer):
        client = Client(server).granted()
        response = server.get("/both")
        assert response.status == 401 and response.challenge and response.header("Accept-Signature")
        assert response.problem["code"] == "credentials_required"
        turned_away(server, client.get("/both"), 403, "signature_required", "signature_required")
        untouched(server, lambda: signer.get("/both", {"Authorization": "SAuth x"}), 401, "invalid_credentials",
                  "authorization_malformed", module="sauth")
        response = signer.get("/both", {"Authorization": client.header()})
        shown = Shown(response)
        assert shown.env["SAUTH_SCHEME"] == "SAuth" and shown.env["ISIGN_PARTICIPANT"] == UID and response.nextnonce
        assert signer.get("/both").status == 401

    def test_either(self, server, signer):
        client = Client(server).granted()
        response = server.get("/any")
        assert response.status == 401 and response.header("Accept-Signature")
        assert Shown(signer.get("/any")).env["ISIGN_PARTICIPANT"] == UID
        response = client.get("/any")
        assert Shown(response).env["SAUTH_PARTICIPANT"] == UID and response.header("Accept-Signature") is None
        assert not server.log.matching("refused reason=signature_required")

    def test_signature_is_the_credential(self, server, signer):
        shown = Shown(signer.post("/only", BODY, JSON))
        assert shown.env["SAUTH_PARTICIPANT"] == UID and shown.env["SAUTH_SCHEME"] == "signature"
        assert shown.env["REMOTE_USER"] == UID and set(shown.env["SAUTH_CAPABILITIES"].split()) == {"read", "update"}
        assert "SAUTH_GRANT" not in shown.env and "SAUTH_EXPIRES" not in shown.env
        response = server.get("/only")
        assert response.status == 401 and response.header("Accept-Signature")
        assert response.all("WWW-Authenticate") == ['Signature realm="/only"']
        assert [way.split()[0] for way in server.get("/accepts").all("WWW-Authenticate")] == ["SAuth", "Signature"]
        client = Client(server).granted()
        response = server.get("/only", {"Authorization": client.header()})
        turned_away(server, response, 401, "invalid_credentials", "scheme_not_accepted", module="sauth")
        response = signer.get("/only", {"Authorization": Client(server).granted().header()})
        turned_away(server, response, 401, "invalid_credentials", "scheme_not_accepted", module="sauth")

    def test_capabilities_of_the_signer(self, server, signer):
        assert Shown(signer.get("/accepts")).env["SAUTH_SCHEME"] == "signature"
        stranger = Signer(server, STRANGER, OTHER + "#theirs")
        untouched(server, lambda: stranger.get("/accepts"), 403, "insufficient_capability", "capability_missing",
                  module="sauth")
        assert Shown(Client(server).granted("update").get("/accepts")).env["SAUTH_SCHEME"] == "SAuth"

    def test_bad_one_beside_an_open_rule(self, server, signer):
        assert "SAUTH_PARTICIPANT" not in Shown(server.get("/open")).env
        assert Shown(signer.get("/open")).env["SAUTH_PARTICIPANT"] == UID
        untouched(server, lambda: signer.get("/open", key=OLD), 401, "invalid_signature", "sig_mismatch")

    def test_another_participants_signature(self, server):
        client = Client(server).granted()
        stranger, own = Signer(server, STRANGER, OTHER + "#theirs"), Signer(server, ED, UID + "#ed25519")
        response = untouched(server, lambda: stranger.get("/grant", {"Authorization": client.header()}), 403,
                           "wrong_signer", "signer_mismatch", module="sauth")
        assert own.get("/grant", {"Authorization": client.header(response.nextnonce)}).status == 200

    def test_authorization_moved(self, server, signer):
        """The signature covers Authorization, so that it cannot be combined with another grant."""
        mine, other = Client(server).granted().header(), Client(server).granted().header()
        pairs = signer.headers("GET", "/grant", {"Authorization": mine})
        pairs = [(name, other if name == "Authorization" else value) for name, value in pairs]
        untouched(server, lambda: server.get("/grant", pairs), 401, "invalid_signature", "sig_mismatch")
        pairs = signer.headers("GET", "/grant") + [("Authorization", other)]
        untouched(server, lambda: server.get("/grant", pairs), 401, "signature_component_missing", "sig_component_missing")

    def test_require_signed_with_a_user(self, server, signer):
        """An authenticated client without a signature gets 403, not another 401."""
        client = Client(server).granted()
        turned_away(server, client.get("/quiet"), 403, "signature_required", "signature_required")
        assert signer.get("/quiet").status == 200

    def test_configuration(self, server):
        for line, said in (("Require signed @Method", "not a component name"), ("ISignCover X-A", "lower case"),
                           ("ISignCover @status", "lower case"), ("ISignMaxAge 0", "whole number"),
                           ("ISignAlgorithms none", "expected"), ("ISignExternal shop.example", "expected"),
                           ("ISignExternal https://shop.example/x", "expected"), ("ISignExternal ftp://a", "expected"),
                           ('ISignTag "\xe9"', "ASCII"), ("ISignBody stream 1K", "no size")):
            server.configure(self.site.config + f'<Location "/x">\n{line}\n</Location>\n')
            good, text = server.check()
            assert not good and said in text, (line, text)
        for line in ("ISignSpoolTotal 1K", "ISignReplayCapacity 5"):
            server.configure(self.site.config + f'<VirtualHost *:1>\n{line}\n</VirtualHost>\n')
            assert not server.check()[0], line
        server.configure(self.site.config)
        assert server.check()[0]


class TestWithin:
    """Sub-requests, internal redirects and error pages: one verification, and no nonce is used twice."""

    site = Site(participants=PEOPLE, modules=("include", "rewrite", "actions", "negotiation", "cgid"),
                config=opened("in") + """
        <Location "/app">
            ISign digest
            Require signed
        </Location>
        <Location "/page">
            ISign digest
            Require signed
            SetOutputFilter INCLUDES
        </Location>
        <Location "/cgi-bin/other">
            ISign digest
            ISignCover x-more
            Require all granted
        </Location>
        <Location "/watch">
            ISign digest
            ISignMode observe
        </Location>
        <Location "/errors">
            ISign digest
            Require all granted
        </Location>
        ErrorDocument 401 /errors/401.txt
        ErrorDocument 404 /errors/404.txt
        """ + opened("stream", "ISign digest", "Require signed", "ISignBody stream"),
                files={"app/.htaccess": "RewriteEngine On\nRewriteRule ^script /in [L]\nRewriteRule ^narrow "
                                        "/cgi-bin/other [L]\n",
                       "watch/.htaccess": "RewriteEngine On\nRewriteRule ^script /in [L]\n",
                       "plain/.htaccess": "RewriteEngine On\nRewriteRule ^script /in [L]\nRewriteRule ^stream /stream [L]\n",
                       "page/index.shtml": '<!--#include virtual="/in" -->+<!--#include virtual="/in" -->\n',
                       "errors/401.txt": "sorry\n", "errors/404.txt": "nothing\n"})

    @pytest.mark.parametrize("path", ["/app/script", "/plain/script"])
    def test_rewritten(self, server, signer, path):
        """The message is the request as sent, wherever internal redirects lead it."""
        shown = Shown(signer.post(path + "?a=1", BODY, JSON))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_PARTICIPANT"] == UID
        assert len(server.log.matching("isign: verified")) == 1
        pairs = signer.headers("POST", "/in?a=1", JSON, BODY)
        response = server.post(path + "?a=1", BODY, pairs)
        assert response.status == 401 and response.text == "sorry\n"
        server.log.expect("isign: refused reason=sig_mismatch")

    def test_rewritten_to_one_that_demands_more(self, server, signer):
        response = signer.get("/app/narrow")
        assert response.status == 401
        server.log.expect("isign: refused reason=sig_component_missing")
        shown = Shown(signer.get("/app/narrow", {"X-More": "1"}, cover=COVER + ("x-more",)))
        assert shown.env["ISIGN_RESULT"] == "verified"

    def test_observed_and_rewritten_to_one_that_demands(self, server, signer):
        before = server.journal()
        assert signer.get("/watch/script", key=OLD).status == 401
        server.log.expect("isign: would refuse reason=sig_mismatch")
        server.log.expect("isign: refused reason=sig_mismatch")
        assert server.journal() == before

    @pytest.mark.parametrize("path", ["/stream", "/plain/stream"])
    def test_stream_behind_a_redirect(self, server, signer, path):
        """An internal redirect removes filters; the body is hashed all the same."""
        shown = Shown(signer.post(path, BODY, JSON))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == "pending"
        pairs = signer.headers("POST", path, JSON, BODY)
        response = server.post(path, BODY[:-1] + b"!", pairs)
        server.log.expect("isign: aborted reason=digest_mismatch .*the application had begun")
        server.log.allow("AH0")
        assert response.status != 200, repr(response)

    def test_subrequests(self, server, signer):
        response = signer.get("/page/index.shtml")
        assert response.status == 200
        parts = response.body.split(b"=====BODY=====\n")
        assert len(parts) == 3 and all(b"ISIGN_RESULT=verified" in one for one in parts[:2])
        assert len(server.log.matching("isign: verified")) == 1
        assert "private" in response.header("Cache-Control")

    def test_error_page(self, server, signer):
        """The error page of a refused request is not refused again."""
        pairs = signer.headers("GET", "/in")
        assert server.get("/in", pairs).status == 200
        response = server.get("/in", pairs)
        assert response.status == 401 and response.text == "sorry\n" and response.header("Accept-Signature")
        server.log.expect("isign: refused reason=sig_nonce_replayed")
        assert len(server.log.matching("isign: refused")) == 1
        response = signer.get("/app/none")
        assert response.status == 404 and response.text == "nothing\n"
        response = server.get("/nowhere", signer.headers("GET", "/nowhere"))
        assert response.status == 404 and response.text == "nothing\n"

    def test_location_of_a_cgi(self, server, signer):
        shown = Shown(signer.get("/in?location=/in"))
        assert shown.env["ISIGN_RESULT"] == "verified" and len(server.log.matching("isign: verified")) == 1


class TestCache:
    """mod_cache in front: by itself it excludes only requests with an Authorization header."""

    site = Site(participants=PEOPLE, modules=("cache", "cache_disk"), config=opened("in")
                + opened("mixed", "ISign digest", "<RequireAny>", "Require signed", "Require all granted", "</RequireAny>")
                + 'CacheEnable disk /\nCacheRoot "@ROOT@/spool"\nCacheHeader on\nCacheIgnoreNoLastMod On\n')

    def test_never_stored(self, server, signer):
        for path in ("/in?header=Cache-Control:+public,+max-age=3600", "/mixed?header=Cache-Control:+public,+s-maxage=3600"):
            for _ in range(2):
                response = signer.get(path)
                assert Shown(response).env["ISIGN_PARTICIPANT"] == UID
                said = ", ".join(response.all("Cache-Control"))
                assert "private" in said and "public" not in said
            assert UID.encode() not in server.get(path).body
        server.log.allow("signature_required|AH0163")
        for status in ("MISS", "HIT"):  # the cache is at work
            assert status in server.get("/mixed?header=Cache-Control:+max-age=3600").header("X-Cache")


class TestExternal:
    """Behind a proxy that terminates TLS, as far as the backend knows, and that uses another host name for the backend."""

    backend = Site(participants=PEOPLE, config=opened("in", "ISign digest", "Require signed",
                                                      "ISignExternal https://orders.example"))
    site = Site(participants=None, ours=(), backend=backend,
                config='ProxyPass "/in" "http://127.0.0.1:@BACKEND@/in"\n')

    @pytest.fixture
    def far(self, server):
        signer = Signer(server.backend, ED, UID + "#ed25519")

        def call(method, body=None, **how):
            how = {"authority": "orders.example", "scheme": "https", **how}
            pairs = signer.headers(method, "/in?a=1", JSON, body, **how)
            return server.request(method, "/in?a=1", pairs, body, host="orders.example")
        yield call
        wrong = server.backend.log.settle()
        assert not wrong, wrong

    def test_passes(self, server, far):
        for cover in (None, COVER + ("@target-uri", "@scheme", "content-type")):
            assert Shown(far("GET", cover=cover)).env["ISIGN_RESULT"] == "verified"
        assert Shown(far("POST", BODY)).body == BODY

    def test_other_names(self, server, far):
        for how in ({"authority": f"127.0.0.1:{server.backend.port}"}, {"authority": "orders.example:8443"},
                    {"scheme": "http", "cover": COVER + ("@scheme", "content-type")}):
            response = far("GET", **how)
            assert response.status == 401 and response.problem["code"] == "invalid_signature"
        server.backend.log.expect("isign: refused reason=sig_mismatch")

    def test_default_port(self, server, far):
        assert far("GET", authority="orders.example").status == 200


class TestLevels:
    """What each level of ISign requires: valid values, a digest, a signature."""

    site = Site(participants=PEOPLE, config="".join(
        opened(level, f"ISign {level}", "Require all granted") for level in ("off", "optional", "digest", "require"))
        + opened("watched", "ISign require", "ISignMode observe", "Require all granted"))

    @pytest.mark.parametrize("path", ["/off", "/optional", "/digest"])
    def test_request_without_signature_passes(self, server, path):
        assert Shown(server.get(path)).env.get("ISIGN_RESULT") == (None if path == "/off" else "none")

    @pytest.mark.parametrize("path", ["/off", "/optional"])
    def test_body_without_digest_passes(self, server, path):
        assert Shown(server.post(path, BODY, JSON)).body == BODY

    def test_body_without_digest_is_refused(self, server):
        untouched(server, lambda: server.post("/digest", BODY, JSON), 400, "digest_missing", "digest_missing")

    @pytest.mark.parametrize("path", ["/optional", "/digest"])
    def test_wrong_digest_is_refused(self, server, path):
        wrong = {**JSON, "Content-Digest": digest(b"another body")}
        untouched(server, lambda: server.post(path, BODY, wrong), 400, "digest_mismatch", "digest_mismatch")
        assert Shown(server.post("/off", BODY, wrong)).body == BODY

    @pytest.mark.parametrize("path", ["/optional", "/digest", "/require"])
    def test_bad_signature_is_refused(self, server, signer, path):
        untouched(server, lambda: signer.get(path, key=STRANGER), 401, "invalid_signature", "sig_mismatch")
        assert Shown(signer.get("/off", key=STRANGER)).env.get("ISIGN_RESULT") is None

    @pytest.mark.parametrize("path", ["/optional", "/digest", "/require"])
    def test_good_signature_passes(self, server, signer, path):
        assert Shown(signer.post(path, BODY, JSON)).env["ISIGN_RESULT"] == "verified"
        assert Shown(signer.get(path)).env["ISIGN_PARTICIPANT"] == UID

    def test_signature_is_required(self, server):
        response = untouched(server, lambda: server.get("/require"), 401, "signature_required", "sig_absent", level="info")
        assert response.header("WWW-Authenticate") == "Signature"
        assert '"@method"' in response.header("Accept-Signature")
        right = {**JSON, "Content-Digest": digest(BODY)}
        untouched(server, lambda: server.post("/require", BODY, right), 401, "signature_required", "sig_absent", level="info")

    def test_observed(self, server):
        assert Shown(server.get("/watched")).env["ISIGN_RESULT"] == "none"
        server.log.expect(r'isign: would refuse reason=sig_absent location=/watched')
        assert Shown(server.post("/watched", BODY, JSON)).env["ISIGN_RESULT"] == "digest_missing"
        server.log.expect(r'isign: would refuse reason=sig_absent location=/watched')
        server.log.expect(r'isign: would refuse reason=digest_missing location=/watched')


class TestRequiredSomewhere:
    """A signature is required by each location that a request passes through, and by no other."""

    site = Site(participants=PEOPLE, config=opened("require", "ISign require", "Require all granted")
                + opened("plain", "ISign off", "Require all granted") + "ErrorDocument 401 /plain\n")

    def test_redirected_into_it(self, server, signer):
        assert server.get("/plain?location=/require").status == 401
        server.log.expect(r'isign: refused reason=sig_absent location=/require')
        assert Shown(signer.get("/require")).env["ISIGN_RESULT"] == "verified"

    def test_error_document_is_served(self, server):
        response = server.get("/require")
        assert response.status == 401 and b"REDIRECT_STATUS=401" in response.body
        server.log.expect(r'isign: refused reason=sig_absent location=/require')


class TestPasses:
    """Look-ahead and included sub-requests: each is judged by its own location, with one signature."""

    ahead = "RewriteEngine On\nRewriteCond %{LA-U:REMOTE_USER} ^-never-$\nRewriteRule . - [F]\n"
    site = Site(participants=PEOPLE, modules=("rewrite", "include"), config=ENDPOINT + ahead
                + opened("in", "ISign digest", "Require signed")
                + beside("both", "Require capability read")
                + opened("wide", "ISign digest", "ISignCover x-order", "Require all granted")
                + opened("strict", "ISign digest", "ISignCover x-never", "Require all granted")
                + opened("stricter", "ISign require", "ISignCover x-never x-more", "Require all granted")
                + "AddOutputFilter INCLUDES .shtml\n<Directory @ROOT@/htdocs>\nOptions +Includes\n</Directory>\n"
                + '<Location "/pages">\nISign digest\nRequire all granted\n</Location>\n',
                files={"pages/two.shtml": "".join(f'[<!--#include virtual="/{name}" -->]'
                                                  for name in ("strict", "stricter", "strict", "in"))})

    def test_signer_is_known_after_a_look_ahead(self, server, signer):
        assert Shown(signer.get("/in")).env["ISIGN_PARTICIPANT"] == UID
        untouched(server, lambda: server.get("/in"), 403, "signature_required", "signature_required")

    def test_grant_of_another_is_refused_after_a_look_ahead(self, server):
        stranger, client = Signer(server, STRANGER, OTHER + "#theirs"), Client(server).granted()
        response = stranger.get("/both", {"Authorization": client.header()})
        assert response.status == 403 and response.problem["code"] == "wrong_signer", repr(response)
        server.log.expect("sauth: refused reason=signer_mismatch")
        server.log.allow("reason=signer_mismatch|AH01630")

    def test_bad_signature_is_refused_after_a_look_ahead(self, server, signer):
        client = Client(server).granted()
        before = server.journal()
        response = signer.get("/both", {"Authorization": client.header()}, key=OLD)
        assert response.status == 401 and response.problem["code"] == "invalid_signature" and server.journal() == before
        server.log.allow("reason=sig_mismatch|AH01630")

    def test_each_include_is_judged(self, server, signer):
        page = signer.get("/pages/two.shtml").text
        parts = re.findall(r"\[([^\[\]]*)", page)
        assert page.count("an error occurred") == 3, page
        assert "ISIGN_PARTICIPANT=" + UID in page and len(parts) >= 4
        server.log.allow("reason=sig_component_missing|AH01374|unable to include")
        assert len(server.log.matching("refused reason=sig_component_missing")) >= 3


class TestConnection:
    """mod_proxy removes the fields that Connection names."""

    backend = Site(ours=(), participants=None)
    site = Site(participants=PEOPLE, backend=backend, modules=("rewrite",), config=ENDPOINT
                + 'ProxyPass "/far" "http://127.0.0.1:@BACKEND@/cgi-bin/show"\n'
                + 'RewriteEngine On\nRewriteRule "^/rewritten" "http://127.0.0.1:@BACKEND@/cgi-bin/show" [P]\n'
                + "".join(location(path, "Require capability read", "SAuthPass headers") for path in ("/far/g", "/rewritten/g"))
                + "".join(f'<Location "{path}">\nISign digest\nISignCover x-limit @method\nRequire signed\n</Location>\n'
                          for path in ("/far/s", "/rewritten/s"))
                + '<Location "/far/more">\nISign require\nRequire all granted\n</Location>\n')

    def test_more_than_is_demanded(self, server, signer):
        how = {"cover": COVER + ("x-limit",)}
        turned_away(server, signer.get("/far/more", {"X-Limit": "9", "Connection": "x-limit"}, **how), 400,
                    "malformed_signature", "sig_component_dropped")
        assert signer.get("/far/more", {"X-Limit": "9", "Connection": "x-limit"}).status == 200

    @pytest.mark.parametrize("path", ["/far/g", "/rewritten/g"])
    @pytest.mark.parametrize("value", ["close, SAuth-Participant, SAuth-Capabilities", "sauth-participant,SAUTH_SCHEME",
                                       "X-Other,\tISign-Result ,SAuth-Grant", "close;SAuth-Participant",
                                       "X-Other;q=1;SAuth-Capabilities"])
    def test_identity_stays(self, server, path, value):
        shown = Shown(Client(server).granted().get(path, {"Connection": value, "X-Other": "1"}))
        assert shown.env["HTTP_SAUTH_PARTICIPANT"] == UID and shown.env["HTTP_SAUTH_CAPABILITIES"] == "read"
        assert ("HTTP_X_OTHER" in shown.env) == ("X-Other" not in value), "other fields are dropped as before"

    @pytest.mark.parametrize("path", ["/far/s", "/rewritten/s"])
    @pytest.mark.parametrize("value", ["X-Limit", "close, x-limit", "x-other , X-LIMIT", "close;X-Limit", "x;x-limit;y"])
    def test_signed_field_is_not_dropped(self, server, signer, path, value):
        how = {"cover": COVER + ("x-limit",)}
        assert Shown(signer.get(path, {"X-Limit": "9"}, **how)).env["HTTP_X_LIMIT"] == "9"
        turned_away(server, signer.get(path, {"X-Limit": "9", "Connection": value}, **how), 400, "malformed_signature",
                    "sig_component_dropped")
        member = COVER + ('"x-limit";bs', )
        turned_away(server, signer.get(path, {"X-Limit": "9", "Connection": value}, cover=member), 400, "malformed_signature",
                    "sig_component_dropped")
        assert Shown(signer.get(path, {"X-Limit": "9", "Connection": "x-other"}, **how)).env["HTTP_X_LIMIT"] == "9"


class TestFollowed:
    """A client that signs exactly what Accept-Signature says is accepted."""

    site = Site(participants=PEOPLE, config=opened("in", "ISign require", "Require all granted")
                + opened("named", "ISign require", "ISignTag shop", "ISignLabel order", "Require all granted")
                + opened("free", "ISign require", "ISignNonce optional", "Require all granted"))

    @pytest.mark.parametrize("path", ["/in", "/named", "/free"])
    @pytest.mark.parametrize("body", [None, BODY])
    def test_follow(self, server, signer, path, body):
        headers = dict(JSON, **{"Content-Encoding": "identity", "Content-Digest": digest(BODY)}) if body else {}
        response = server.request("POST" if body else "GET", path, headers, body)
        assert response.status == 401
        label, inner, rest = re.fullmatch(r'([a-z0-9]+)=\(([^)]*)\)(.*)', response.header("Accept-Signature")).groups()
        cover = re.findall(r'"([^"]*)"', inner)
        how = {"label": label, "cover": tuple(cover), **dict(re.findall(r';(nonce|tag)="([^"]*)"', rest))}
        if "nonce" not in how:
            how["nonce"] = None
        assert ";created" in rest and ("nonce" in rest) == (path != "/free")
        if body:
            assert "content-encoding" in cover and "content-digest" in cover
        call = lambda: signer.send("POST" if body else "GET", path, headers, body, **how)
        shown = Shown(call())
        assert shown.env["ISIGN_RESULT"] == "verified"
        assert shown.env.get("ISIGN_NONCE") == ("none" if path == "/free" else None)

    def test_label(self, server, signer):
        untouched(server, lambda: signer.get("/named", tag="shop"), 401, "signature_required", "sig_label_absent")
        assert signer.get("/named", tag="shop", label="order").status == 200

    def test_content_encoding_is_covered(self, server, signer):
        headers = {**JSON, "Content-Encoding": "identity"}
        untouched(server, lambda: signer.post("/in", BODY, headers, cover=COVER + ("content-digest", "content-type")), 401,
                  "signature_component_missing", "sig_component_missing")
        full = COVER + ("content-digest", "content-type", "content-encoding")
        assert signer.post("/in", BODY, headers, cover=full).status == 200


class TestWithoutNonce:
    """ISignNonce optional: a message is accepted once, unless its method is safe."""

    site = Site(participants=PEOPLE, config=opened("in", "ISign require", "Require all granted", "ISignNonce optional")
                + opened("strict", "ISign require", "Require all granted"))

    def test_safe_methods_repeat(self, server, signer):
        for method in ("GET", "HEAD", "OPTIONS"):
            pairs = signer.headers(method, "/in", nonce=None)
            assert [server.request(method, "/in", pairs).status for _ in range(2)] == [200, 200], method

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "get"])
    def test_others_are_good_once(self, server, signer, method):
        pairs = signer.headers(method, "/in", nonce=None)
        assert server.request(method, "/in", pairs).status in (200, 501)
        untouched(server, lambda: server.request(method, "/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")

    def test_another_place_still_requires_one(self, server, signer):
        untouched(server, lambda: signer.get("/strict", nonce=None), 401, "signature_nonce_missing", "sig_nonce_missing")

    def test_nonce_is_used_all_the_same(self, server, signer):
        pairs = signer.headers("GET", "/in")
        shown = Shown(server.get("/in", pairs))
        assert "ISIGN_NONCE" not in shown.env
        untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")


class TestWrittenBack:
    """An inner section can restore the default that an outer one changed."""

    site = Site(participants=PEOPLE, config='ISignTag shop\nISignLabel order\nISignAlgorithms rsa-pss-sha512\n'
                "ISignExternal https://elsewhere.example\nISignClockSkew 5\n"
                + opened("back", "ISign require", "ISignTag none", "ISignLabel none", "ISignAlgorithms all",
                         "ISignExternal none", "Require all granted")
                + opened("in", "ISign require", "Require all granted"))

    def created(self, server):
        """The first second whose signatures the server accepts."""
        created = int(server.listening_at) + 6
        server.clock.reach(created)
        return created

    def test_defaults(self, server, signer):
        created = self.created(server)
        assert Shown(signer.get("/back", created=created)).env["ISIGN_RESULT"] == "verified"
        untouched(server, lambda: signer.get("/in", created=created), 401, "signature_required", "sig_label_absent")

    def test_small_skew_starts_early(self, server, signer):
        created = self.created(server)
        assert signer.get("/back", created=created).status == 200
        untouched(server, lambda: signer.get("/back", created=created + 30), 401, "signature_early", "sig_created_future")


class TestNamedByScheme:
    """ServerName with a scheme and without a port: the default port of the scheme is ours."""

    site = Site(participants=PEOPLE, config="ServerName https://orders.example\n" + ENDPOINT
                + opened("in", "ISign require", "Require all granted")
                + location("/files", "Require capability read"))

    def test_signed(self, server, signer):
        cover = COVER + ("@target-uri", "@scheme")
        pairs = signer.headers("GET", "/in", {"Host": "orders.example"}, authority="orders.example", scheme="https", cover=cover)
        assert Shown(server.get("/in", pairs, host=None)).env["ISIGN_RESULT"] == "verified"
        pairs = signer.headers("GET", "/in", {"Host": "orders.example:8443"}, authority="orders.example:8443",
                               scheme="https", cover=cover)
        turned_away(server, server.get("/in", pairs, host=None), 403, "wrong_authority", "sig_authority_foreign")

    def test_audience(self, server):
        client = Client(server)
        assert client.ask(aud="https://orders.example/sauth/request_access").status == 200
        assert client.ask(aud=f"https://orders.example:{server.port}/sauth/request_access").status == 403
        server.log.expect("reason=audience_mismatch")
