"""
A scheme whose signatures can be verified only after authentication, because the access token names the owner of the key.
tests/httpd/scheme has it; no file of mod_isign knows it.
"""
from pathlib import Path

import pytest

from harness import ENDPOINT, OTHER, OTHER_SECRET, Client, Shown, Site, UID, participant, script
from harness.locate import build_dir, our_module
from harness.signed import opened, turned_away, untouched

FIELD = "X-Test-Signature"
PEOPLE = [participant(UID, ["read"]), participant(OTHER, ["read"], OTHER_SECRET)]


def test_installed_module_has_no_test_scheme():
    if build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    assert FIELD.encode() in Path(our_module("isign")).read_bytes()
    assert FIELD.encode() not in (build_dir() / "modules/isign/.libs/mod_isign.so").read_bytes()


class TestLate:
    site = Site(participants=PEOPLE, modules=("include",), files={"pages/all.shtml": "".join(
        f'[<!--#include virtual="/{name}" -->]' for name in ("token", "must", "token", "must", "must"))}, config=(ENDPOINT
        + "AddOutputFilter INCLUDES .shtml\n<Directory @ROOT@/htdocs>\nOptions +Includes\n</Directory>\n"
        + '<Location "/pages">\nAuthType SAuth\nAuthName x\nRequire capability read\nISign optional\n</Location>\n'
        + script("token", "Require capability read", "ISign optional")
        + script("both", "<RequireAll>\nRequire capability read\nRequire signed content-type\n</RequireAll>", "ISign optional")
        + script("either", "<RequireAny>\nRequire signed\nRequire capability read\n</RequireAny>", "ISign optional")
        + script("must", "Require capability read", "ISign require\nISignCover content-type")
        + script("watched", "Require capability read", "ISign require\nISignMode observe")
        + script("anybody", "Require all granted", "ISign optional")
        + opened("open", "ISign optional", "Require all granted") + opened("signed", "ISign optional", "Require signed")
        + opened("unlooked", "ISign off", "Require all granted")))

    def shown(self, response):
        return {name: value for name, value in Shown(response).env.items() if name.startswith("ISIGN_")}

    @pytest.mark.parametrize("path", ("/token", "/both", "/either", "/must"))
    def test_accepted(self, server, client, path):
        env = self.shown(client.get(path, {FIELD: "good-1 content-type @path"}))
        assert env == {"ISIGN_RESULT": "verified", "ISIGN_PARTICIPANT": UID, "ISIGN_KEYID": "good-1", "ISIGN_ALG": "test",
                       "ISIGN_COVERED": "content-type @path", "ISIGN_NONCE": "none"}
        assert server.log.wait(rf"isign: verified participant={UID} location={path}$")

    def test_signer_is_the_token_s(self, server):
        other = Client(server, OTHER, OTHER_SECRET).granted()
        assert self.shown(other.get("/both", {FIELD: "good content-type"}))["ISIGN_PARTICIPANT"] == OTHER

    @pytest.mark.parametrize("path", ("/token", "/both", "/either", "/must"))
    def test_refused(self, server, client, path):
        untouched(server, lambda: client.get(path, {FIELD: "bad content-type"}), 401, "invalid_signature", "sig_mismatch")
        assert server.log.wait(rf"reason=sig_mismatch participant={UID} location={path} claimed={UID} keyid=bad$")

    @pytest.mark.parametrize("path", ("/token", "/both", "/must"))
    def test_signer_is_not_the_client(self, server, client, path):
        untouched(server, lambda: client.get(path, {FIELD: f"good@{OTHER} content-type"}), 403, "wrong_signer",
                  "signer_mismatch")

    def test_authentication_comes_first(self, server):
        """No signature is verified for a client without a token: it is asked for one."""
        response = server.get("/both", {FIELD: "bad content-type"})
        assert response.status == 401 and "SAuth" in response.header("WWW-Authenticate")
        server.log.expect("sauth: refused")
        assert not server.log.matching("isign: refused")

    def test_coverage(self, server, client):
        turned_away(server, client.get("/both", {FIELD: "good @path"}), 403, "signature_component_missing",
                    "insufficient_coverage")
        server.log.allow("AH01631")
        turned_away(server, client.get("/must", {FIELD: "good @path"}), 401, "signature_component_missing",
                    "sig_component_missing")

    def test_each_include_is_judged(self, server, client):
        """What one location accepted is judged anew at the next."""
        page = client.get("/pages/all.shtml", {FIELD: "good @path"}).text
        assert page.count("ISIGN_KEYID=good") == 2 and page.count("an error occurred") == 3, page
        server.log.expect("isign: refused reason=sig_component_missing .*location=/must")
        server.log.allow("AH01374|unable to include")

    def test_without_authentication(self, server):
        """Nothing names the owner of the key."""
        for path in ("/open", "/signed", "/anybody"):
            untouched(server, lambda: server.get(path, {FIELD: "good"}), 401, "invalid_signature", "sig_key_unknown")
        assert self.shown(server.get("/unlooked", {FIELD: "good"})) == {}

    def test_observed(self, server, client):
        server.log.expect("isign: would refuse reason=sig_mismatch")
        assert self.shown(client.get("/watched", {FIELD: "bad"})) == {"ISIGN_RESULT": "sig_mismatch"}

    def test_absent(self, server, client):
        turned_away(server, client.get("/must"), 401, "signature_required", "sig_absent", level="info")
        assert self.shown(client.get("/either")) == {"ISIGN_RESULT": "none"}
