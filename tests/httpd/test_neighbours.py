"""Directives and rules of other modules do not weaken our checks."""
import re

import pytest

from harness import Client, ENDPOINT, PAGE, Shown, Site, UID, digest, passed, script
from harness.signed import BODY, ED, JSON, OLD, PEOPLE, opened
from harness.signer import Signer

GUARDED_FILES = '<Directory "@ROOT@/htdocs">\nAuthType SAuth\nAuthName x\nRequire capability read\n</Directory>\n'
TYPE_ONLY = "AuthType SAuth\nAuthName x\n"
OTHER_BODY = b'{"order": 99}'


def location(path, text, kind="Location"):
    return f'<{kind} "{path}">\n{text}\n</{kind}>\n'


class TestSectionsInBetween:
    """httpd merges Location and Files sections with each other: a section that grants access to everybody is detected."""

    @pytest.mark.parametrize("between", [
        location("^/files", "Require all granted", "LocationMatch"),
        location("/files", "Require ip 127.0.0.1"),
        location("plain", "Require all granted", "FilesMatch") + location("txt$", TYPE_ONLY, "FilesMatch"),
    ])
    def test_no_response_without_proof(self, make_server, between):
        server = make_server(Site(config=ENDPOINT + GUARDED_FILES + between + location("/files/plain.txt", TYPE_ONLY)))
        server.log.allow("without a Require of its own|location_unguarded")
        response = server.get(PAGE)
        assert response.status == 503 and response.problem["code"] == "unavailable"
        passed(Client(server).granted().get(PAGE))

    @pytest.mark.parametrize("opens", [
        "<RequireAll>\nRequire all granted\n</RequireAll>", "Require all  granted",
        "<RequireAll>\nRequire all granted\nRequire not participant http://banned.example.org\n</RequireAll>",
        "<RequireAll>\nRequire all granted\n<RequireNone>\nRequire capability update\n</RequireNone>\n</RequireAll>",
    ])
    def test_start_is_refused(self, make_server, opens):
        config = ENDPOINT + location("/files", opens) + location("/files/plain.txt", TYPE_ONLY)
        accepted, said = make_server(Site(config=config), start=False).check()
        assert not accepted and "without a Require: the location would be open" in said, said

    def test_negated_rule_of_a_pattern(self, make_server):
        """Undecidable at the start: a rule that only excludes clients does not protect."""
        rules = "<RequireAll>\nRequire all granted\nRequire not participant http://banned.example.org\n</RequireAll>"
        server = make_server(Site(config=ENDPOINT + location("^/files", rules, "LocationMatch") + location("/files/plain.txt", TYPE_ONLY),
                                  expect=("without a Require of its own",)))
        server.log.expect("sauth: refused reason=location_unguarded")
        assert server.get(PAGE).status == 503
        passed(Client(server).granted().get(PAGE))

    @pytest.mark.parametrize("guard, status", [('~ "^/files"', 401), ('"/*/*"', 401), ('"/fil*"', 503)])
    def test_guarding_patterns(self, make_server, guard, status):
        """A wildcard does not match a slash: the last section does not protect what is below it."""
        config = ENDPOINT + f"<Location {guard}>\nRequire capability read\n</Location>\n" + location("/files/plain.txt", TYPE_ONLY)
        server = make_server(Site(config=config, expect=("without a Require of its own",)))
        server.log.expect("sauth: refused reason=" + ("credentials_missing" if status == 401 else "location_unguarded"))
        assert server.get(PAGE).status == status
        passed(Client(server).granted().get(PAGE))


class TestSatisfyAny:
    """Satisfy Any does not override the refusal of a signature."""

    site = Site(participants=PEOPLE, modules=("access_compat",), config=ENDPOINT
                + opened("own", "ISign require", "Require all granted", "Satisfy Any")
                + opened("optional", "ISign optional", "Require all granted", "Satisfy Any")
                + script("both", "Require capability read", "Satisfy Any\nOrder deny,allow\nDeny from all\nISign require"),
                expect=("Satisfy Any",))

    def test_unsigned(self, server):
        server.log.expect("isign: refused reason=sig_absent")
        response = server.get("/own")
        assert response.status == 401 and response.problem["code"] == "signature_required" and response.header("Accept-Signature")

    @pytest.mark.parametrize("path", ["/own", "/optional"])
    def test_bad_signature(self, server, path):
        server.log.expect("isign: refused reason=sig_mismatch")
        assert Signer(server, OLD, UID + "#ed25519").get(path).status == 401
        assert Signer(server, ED, UID + "#ed25519").get(path).status == 200

    def test_bad_signature_beside_a_grant(self, server):
        server.log.expect("isign: refused reason=sig_mismatch")
        headers = {**JSON, "Authorization": Client(server).granted().header()}
        response = Signer(server, OLD, UID + "#ed25519").post("/both", BODY, headers)
        assert response.status == 401 and b"SAUTH_" not in response.body


class TestDeniedByOthers:
    """The error page for a denial by another module does not get an unchecked body."""

    site = Site(participants=PEOPLE, modules=("allowmethods", "auth_basic", "authn_file", "authz_user"), files={"pw": ""},
                config=ENDPOINT + "ErrorDocument 401 /cgi-bin/show\nErrorDocument 403 /cgi-bin/show\nErrorDocument 405 /cgi-bin/show\n"
                + opened("ip", "ISign require", "Require ip 192.0.2.1") + opened("methods", "ISign require", "AllowMethods GET")
                + opened("stream", "ISign require", "ISignBody stream", "Require ip 192.0.2.1")
                + opened("basic", "ISign require", "AuthType Basic", "AuthName x", "AuthUserFile @ROOT@/htdocs/pw", "Require valid-user")
                + opened("seen", "ISign require", "ISignMode observe", "Require ip 192.0.2.1")
                + script("grant", "<RequireAll>\nRequire capability read\nRequire ip 192.0.2.1\n</RequireAll>", "ISign digest")
                + script("granted", "Require capability read", "ISign digest\nAllowMethods GET"))

    @pytest.mark.parametrize("path", ["/ip", "/methods", "/stream", "/basic"])
    def test_signed(self, server, path):
        server.log.allow(r"\[(authz_core|allowmethods|auth_basic|core):")
        signer = Signer(server, ED, UID + "#ed25519")
        response = server.post(path, OTHER_BODY, signer.headers("POST", path, JSON, BODY))
        assert response.status in (401, 403, 405) and OTHER_BODY not in response.body and b"CONTENT_LENGTH=0" in response.body, repr(response)

    def test_observed(self, server):
        server.log.allow(r"\[(authz_core|core):")
        assert server.post("/seen", OTHER_BODY, JSON).body.endswith(OTHER_BODY)

    @pytest.mark.parametrize("path", ["/grant", "/granted"])
    def test_granted(self, server, path):
        server.log.allow(r"\[(authz_core|allowmethods):|rule_not_met")
        headers = {**JSON, "Authorization": Client(server).granted().header(), "Content-Digest": digest(BODY)}
        response = server.post(path, OTHER_BODY, headers)
        assert response.status in (403, 405) and OTHER_BODY not in response.body, repr(response)


class TestRequestHeader:
    """mod_headers removes, replaces or copies Authorization before the application runs."""

    TAKEN = 'RewriteEngine On\nRewriteRule .* - [E=COPY:%{HTTP:Authorization}]\n'
    site = Site(modules=("headers", "rewrite"), config=ENDPOINT
                + script("unset", "Require capability read", TAKEN + "RequestHeader unset Authorization")
                + script("set", "Require capability read", TAKEN + 'RequestHeader set Authorization "Basic Zm9vOmJhcg=="\nCGIPassAuth On')
                + script("copy", "Require capability read", 'RequestHeader set X-Auth "expr=%{HTTP:Authorization}"'))

    @pytest.mark.parametrize("path", ["/unset", "/set", "/copy"])
    def test_nothing_of_it_arrives(self, server, path):
        client = Client(server).granted()
        value = client.header()
        shown = Shown(passed(server.get(path, {"Authorization": value})))
        credentials = value.split(" ", 1)[1]
        assert not any(credentials[at:at + 16] in text for text in shown.env.values() for at in range(len(credentials) - 15))
        assert shown.env.get("HTTP_AUTHORIZATION") == ("Basic Zm9vOmJhcg==" if path == "/set" else None)


class TestErrorPages:
    """Through error pages, refused clients reach nothing that they could not request."""

    site = Site(participants=PEOPLE, modules=("include",), config=opened("in", "ISign require") + location("/files", "ISign require") + """
AddOutputFilter INCLUDES .shtml
<Directory @ROOT@/htdocs>
    Options +Includes
</Directory>
ErrorDocument 401 /pages/error.shtml
""", files={"pages/error.shtml": '[<!--#include virtual="/files/plain.txt" -->]'})

    def test_included(self, server):
        server.log.allow("AH01374|unable to include|sig_absent")
        response = server.get("/in")
        assert response.status == 401 and b"plain" not in response.body and b"an error occurred" in response.body


class TestIncluded:
    """The parts of a page are checked separately: a refusal of one does not affect the next."""

    site = Site(participants=PEOPLE, modules=("include",), config=location("/files", "ISign require") + """
AddOutputFilter INCLUDES .shtml
<Directory @ROOT@/htdocs>
    Options +Includes
</Directory>
""", files={"page.shtml": '<!--#include virtual="/files/plain.txt" --><!--#include virtual="/open.txt" -->' * 5, "open.txt": "open;"})

    def test_each(self, server):
        server.log.allow("AH01374|unable to include|sig_absent")
        response = server.get("/page.shtml")
        assert response.status == 200 and response.body.count(b"open;") == 5 and response.body.count(b"an error occurred") == 5


class TestObserved:
    """A signature that an observing location would refuse is not accepted by mod_sauth."""

    site = Site(participants=PEOPLE, config=ENDPOINT + script("narrow", "Require capability read",
                                                              "SAuthAccept signature\nISign require\nISignMode observe"))

    def test_narrow_signature(self, server):
        server.log.expect("isign: would refuse reason=insufficient_coverage|isign: would refuse reason=sig_")
        server.log.allow("sauth: refused")
        signer = Signer(server, ED, UID + "#ed25519")
        assert server.post("/narrow?x=2", OTHER_BODY, signer.headers("POST", "/narrow?x=1", JSON, BODY, cover=("@method",))).status == 401
        assert signer.get("/narrow").status == 200


@pytest.mark.parametrize("first", [False, True])
def test_a_nonce_in_both(make_server, first):
    """Using the nonce of Authorization for the signature too removes nothing from ISIGN_COVERED."""
    ours = ("registry", "isign", "sauth") if first else ("registry", "sauth", "isign")
    server = make_server(Site(participants=PEOPLE, ours=ours, ours_first=first,
                              config=ENDPOINT + script("a", "Require capability read", "ISign require")))
    value = Client(server).granted().header()
    nonce = re.search(r'nonce="([^"]+)"', value).group(1)
    shown = Shown(Signer(server, ED, UID + "#ed25519").get("/a", {"Authorization": value}, nonce=nonce))
    assert nonce in shown.env["ISIGN_COVERED"]
