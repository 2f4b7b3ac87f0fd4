"""The participants file: valid and invalid files, and messages, at a start and at a reload."""
import json
import os
import re

import pytest

from harness import (BASIC, Client, ENDPOINT, OTHER, OTHER_SECRET, PAGE, SECRET, Server, Site, UID, Unstartable, b64url,
                     participant, participants_text, passed, refused, script)


GOOD = participants_text([participant()])


def text_of(**members):
    return participants_text([participant(), {**participant(OTHER, secret=OTHER_SECRET), **members}])


# What is wrong, the file's text, what the message must say beside the file's name.
DAMAGED = [
    ("empty", "", r"line 1"),
    ("not JSON", "participants\n", r"line 1"),
    ("cut off in line 3", '{"participants": [\n{"id": "a",\n"name": "x', r"line 3"),
    ("trailing comma in line 4", '{"participants": [\n{"id": "a"\n},\n]}', r"line 4"),
    ("text behind", GOOD + "x", r"line \d+"),
    ("member repeated", '{"participants": [{"id": "a", "id": "b"}]}', r"line 1"),
    ("a list", "[]", 'single member participants, a list of objects'),
    ("no list", '{"participants": {}}', r"participants"),
    ("unknown member at the top", '{"participants": [], "version": 1}', r"participants"),
    ("record not an object", '{"participants": [1]}', r"participant 1"),
    ("id missing", '{"participants": [{"name": "x"}]}', r"participant 1.*id"),
    ("id empty", '{"participants": [{"id": ""}]}', r"participant 1.*id"),
    ("id with a space", '{"participants": [{"id": "a b"}]}', r"participant 1.*id"),
    ("id with a quote", '{"participants": [{"id": "a\\"b"}]}', r"participant 1.*id"),
    ("id too long", '{"participants": [{"id": "%s"}]}' % ("a" * 256), r"participant 1.*id"),
    ("id used twice", participants_text([participant(), participant()]), rf"participant 2 \({re.escape(UID)}\).*id"),
    ("unknown member", text_of(secret_key="x"), rf"participant 2 \({re.escape(OTHER)}\).*secret_key"),
    ("unknown status", text_of(status="fine"), r"participant 2.*status"),
    ("capability with a space", text_of(capabilities=["read", "a b"]), r"participant 2.*capabilities"),
    ("capability repeated", text_of(capabilities=["read", "read"]), r"participant 2.*capabilities"),
    ("capabilities a string", text_of(capabilities="read"), r"participant 2.*capabilities"),
    ("role a number", text_of(roles=[1]), r"participant 2.*roles"),
    ("33 roles", text_of(roles=[f"r{n}" for n in range(33)]), r"participant 2.*roles"),
    ("expires a date", text_of(expires="2035-12-20"), r"participant 2.*expires"),
    ("expires a number", text_of(expires=2000000000), r"participant 2.*expires"),
    ("lifespan 0", text_of(token_max_lifespan=0), r"participant 2.*token_max_lifespan"),
    ("lifespan a string", text_of(token_max_lifespan="60"), r"participant 2.*token_max_lifespan"),
    ("allow_refresh a string", text_of(allow_refresh="yes"), r"participant 2.*allow_refresh"),
    ("secret of 15 bytes", participants_text([participant(secret=b"fifteen bytes..")]), r"participant 1.*16"),
    ("secret empty", participants_text([participant(secret=b"")]), r"participant 1.*secret"),
    ("secret with padding", participants_text([participant(shared_secret="AAECAwQFBgcICQoLDA0ODw==")]),
     r"participant 1.*base64url"),
    ("secret a number", participants_text([participant(shared_secret=1)]), r"participant 1.*secret"),
    ("both forms of the secret", text_of(shared_secrets=[{"value": b64url(SECRET)}]), r"participant 2.*shared_secrets"),
    ("four secrets", participants_text([participant(secret=None, shared_secrets=[
        {"value": b64url(bytes([n]) * 16)} for n in range(4)])]), r"participant 1.*shared_secrets"),
    ("challenge secret a string", text_of(challenge_secret="0" * 32), r"participant 2.*challenge_secret"),
    ("challenge secret of no profile", text_of(challenge_secret={"sha1": "0" * 40}), r"participant 2.*challenge_secret"),
    ("challenge secret too short", text_of(challenge_secret={"hmac-sha256": "0" * 63}), r"participant 2.*challenge_secret"),
    ("challenge secret in upper case", text_of(challenge_secret={"md5": "A" * 32}), r"participant 2.*challenge_secret"),
    ("secret's end malformed", participants_text([participant(secret=None, shared_secrets=[
        {"value": b64url(SECRET), "not_after": "soon"}])]), r"participant 1.*not_after"),
]


def rows(table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


class Refusals:
    """`httpd -t` and a start report the same errors. Neither shows the file's content."""

    def refusal(self, server, text):
        server.participants(text)
        accepted, said = server.check()
        assert not accepted, f"httpd -t accepts it: {said}"
        with pytest.raises(Unstartable) as raised:
            server.start()
        server.log.allow(r"registry|AH00016|AH00526|Configuration Failed|configuration failed")
        for message in (said, str(raised.value)):
            assert str(server.participants_file) in message, message
            assert b64url(SECRET) not in message and "AAECAwQF" not in message
        return said


class TestFirstStart(Refusals):
    """A first start refuses a damaged file, and so does httpd -t."""

    @pytest.fixture(scope="class")
    def idle(self):
        from harness.locate import build_dir
        if build_dir() is None:
            pytest.skip("INTERAUTH_BUILD does not name a build directory")
        server = Server(Site(config=BASIC))
        yield server
        server.log.allow(".")
        assert server.close() == []

    @pytest.mark.parametrize("text, says", rows(DAMAGED))
    def test_damaged(self, idle, text, says):
        said = self.refusal(idle, text)
        assert f"registry: RegistryFile {idle.participants_file}: " in said
        assert re.search(says, said.replace(str(idle.participants_file), "")), said

    def test_missing(self, idle):
        os.unlink(idle.participants_file) if idle.participants_file.exists() else None
        accepted, said = idle.check()
        assert not accepted and str(idle.participants_file) in said and "No such file" in said

    def test_not_utf8(self, idle):
        self.refusal(idle, b'{"participants": [{"id": "a", "name": "\xff"}]}')

    @pytest.mark.parametrize("mode", [0o644, 0o666, 0o660, 0o604, 0o622], ids=oct)
    def test_mode(self, idle, mode):
        idle.participants(GOOD)
        os.chmod(idle.participants_file, mode)
        accepted, said = idle.check()
        assert not accepted and str(idle.participants_file) in said and f"{mode:04o}" in said

    @pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440], ids=oct)
    def test_good_mode(self, idle, mode):
        idle.participants(GOOD)
        os.chmod(idle.participants_file, mode)
        assert idle.check()[0]

    def test_a_directory(self, idle):
        idle.configure(BASIC.replace("<Location", 'RegistryFile "@ROOT@/conf"\n<Location', 1))
        accepted, said = idle.check()
        idle.configure(BASIC)
        assert not accepted and "regular" in said

    @pytest.mark.parametrize("text", [
        '{"participants": []}', '{"participants": [{"id": "a"}]}',
        participants_text([participant(name="N\u00e4me", roles=[], capabilities=[], expires="2035-12-20T00:00:00Z",
                                       endpoints=[{"url": "https://www.example.org/api/", "api_version": "1.0",
                                                   "valid_from": "2026-01-01T00:00:00Z"}],
                                       challenge_secret={"md5": "01" * 16, "hmac-sha256": "af" * 32},
                                       keys=[{"kty": "OKP", "crv": "Ed25519", "kid": "k1",
                                              "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "nbf": 0,
                                              "exp": 0}])]),
        json.dumps({"participants": [participant(f"p{n}") for n in range(500)]})], ids=["none", "id", "all", "many"])
    def test_good(self, idle, text):
        idle.participants(text)
        accepted, said = idle.check()
        assert accepted, said


class TestCapacity:
    site = Site(config="RegistryCapacity 2\n" + BASIC,
                participants=[participant(), participant(OTHER, secret=OTHER_SECRET)])

    def test_full_to_the_brim(self, server):
        passed(Client(server).granted().get(PAGE))
        passed(Client(server, OTHER, OTHER_SECRET).granted().get(PAGE))

    def test_one_too_many_at_a_reload(self, server, client):
        server.participants([participant(), participant(OTHER, secret=OTHER_SECRET), participant("third")])
        server.log.expect(r"\[registry:error\] .*RegistryCapacity 2")
        server.graceful()
        passed(client.get(PAGE))

    def test_one_too_many_at_a_start(self, make_server):
        server = make_server(Site(config="RegistryCapacity 1\n" + BASIC, participants=[participant(), participant("b")]),
                             start=False)
        accepted, said = server.check()
        assert not accepted and "RegistryCapacity 1" in said

    def test_too_many_names(self, server, client):
        server.participants([participant(capabilities=[f"c{number}" for number in range(1024)])])
        server.log.expect(r"\[registry:error\] .*reason=names_full")
        server.graceful()
        passed(client.get(PAGE))

    def test_entries_are_reused(self, server):
        """Adding and removing records does not use up the capacity."""
        for number in range(6):
            server.participants([participant(), participant(f"guest{number}", secret=OTHER_SECRET)])
            server.graceful()
            passed(Client(server, f"guest{number}", OTHER_SECRET).granted().get(PAGE))

    def test_capacity_changed_at_a_reload(self, server, client):
        """The old capacity is used until a stop and start, and the log says so."""
        server.configure("RegistryCapacity 50\n" + BASIC)
        server.graceful()
        server.log.wait(r"\[registry:notice\] .*RegistryCapacity 50 .*stop and start")
        passed(client.get(PAGE))


class TestReload:
    """Changes of the file take effect with a graceful restart, and grants survive it."""

    site = Site(config=BASIC, participants=[participant(), participant(OTHER, ["read"], OTHER_SECRET)])

    @pytest.fixture(autouse=True)
    def fresh(self, server):
        yield
        server.configure(self.site.config)
        server.participants(self.site.participants)
        server.graceful()

    def reload(self, server, records):
        server.participants(records)
        server.graceful()

    def test_new_participant(self, server):
        new = Client(server, "new", OTHER_SECRET)
        refused(server, new.ask(), 401, "invalid_credentials", "participant_unknown")
        self.reload(server, self.site.participants + [participant("new", ["read"], OTHER_SECRET)])
        passed(new.granted().get(PAGE))

    def test_unchanged_participant_keeps_grant_and_nonces(self, server, client):
        held = client.header()
        used = client.header(client.generate())
        passed(server.get(PAGE, {"Authorization": used}))
        self.reload(server, self.site.participants)
        passed(server.get(PAGE, {"Authorization": held}))
        refused(server, server.get(PAGE, {"Authorization": used}), 401, "replayed_nonce", "nonce_replayed")

    def test_removed(self, server, client):
        self.reload(server, [participant(OTHER, ["read"], OTHER_SECRET)])
        response = client.get(PAGE)
        assert response.status == 401, repr(response)
        server.log.expect(r"sauth: refused reason=(grant_ended|token_unknown|participant_unknown)( |$)")
        refused(server, client.ask(), 401, "invalid_credentials", "participant_unknown")

    def test_removed_and_back_again(self, server, client):
        """A participant that was removed and added again does not get its old grants back."""
        self.reload(server, [participant(OTHER, ["read"], OTHER_SECRET)])
        self.reload(server, self.site.participants)
        response = client.get(PAGE)
        assert response.status == 401, repr(response)
        server.log.expect(r"sauth: refused reason=(grant_ended|token_unknown|participant_unknown)( |$)")
        passed(client.granted().get(PAGE))

    @pytest.mark.parametrize("status", ["suspended", "rejected", "offboarded", "applied", "under_review"])
    def test_status(self, server, client, status):
        self.reload(server, [participant(status=status), participant(OTHER, ["read"], OTHER_SECRET)])
        refused(server, client.get(PAGE), 403, "participant_inactive", "participant_inactive")
        refused(server, client.ask(), 403, "participant_inactive", "participant_inactive")
        refused(server, client.refresh(), 403, "participant_inactive", "participant_inactive")

    def test_suspended_and_approved_again(self, server, client):
        self.reload(server, [participant(status="suspended")])
        refused(server, client.get(PAGE), 403, "participant_inactive", "participant_inactive")
        self.reload(server, self.site.participants)
        passed(client.granted().get(PAGE))

    def test_expired(self, server, client):
        self.reload(server, [participant(expires="2020-01-01T00:00:00Z")])
        refused(server, client.get(PAGE), 403, "participant_expired", "participant_expired")

    def test_capability_taken_away(self, server, client):
        """A grant gives the capabilities that were granted and that the participant still has."""
        self.reload(server, [participant(capabilities=["update"])])
        refused(server, client.get(PAGE), 403, "insufficient_capability", "capability_missing")
        self.reload(server, self.site.participants)
        passed(client.get(PAGE))

    def test_capability_added(self, server, client):
        """A grant does not get capabilities that are added later."""
        server.configure(BASIC.replace("Require capability read", "Require capability more"))
        self.reload(server, [participant(capabilities=["read", "update", "more"])])
        refused(server, client.get(PAGE), 403, "insufficient_capability", "capability_missing")
        passed(client.granted("more").get(PAGE))
        server.configure(BASIC)

    def test_refresh_runs_the_whole_decision_again(self, server, client):
        self.reload(server, [participant(allow_refresh=False)])
        refused(server, client.refresh(), 403, "refresh_not_allowed", "refresh_not_allowed", level="info")
        self.reload(server, [participant(capabilities=["update"])])
        refused(server, client.refresh(), 403, "capability_not_held", "capability_not_held")

    def test_secret_replaced(self, server, client):
        self.reload(server, [participant(secret=OTHER_SECRET)])
        refused(server, client.get(PAGE), 401, "invalid_credentials", "mac_mismatch")
        with_new = Client(server, UID, OTHER_SECRET)
        with_new.token, with_new.nonces = client.token, [with_new.generate()]
        refused(server, with_new.get(PAGE), 401, "token_revoked", "secret_rotated")

    def test_secret_rotated_with_overlap(self, server, client):
        """Both secrets are valid during the overlap: no client is refused."""
        self.reload(server, [participant(secret=None, shared_secrets=[
            {"value": b64url(SECRET), "not_after": "2099-01-01T00:00:00Z"}, {"value": b64url(OTHER_SECRET)}])])
        passed(client.get(PAGE))
        passed(Client(server, UID, OTHER_SECRET).granted().get(PAGE))
        passed(Client(server).granted().get(PAGE))

    def test_role_taken_away(self, server, client):
        server.configure(BASIC.replace("Require capability read", "Require participant-role consumer"))
        self.reload(server, self.site.participants)
        passed(client.get(PAGE))
        self.reload(server, [participant(roles=["provider"])])
        refused(server, client.get(PAGE), 403, "insufficient_role", "role_missing")
        server.configure(BASIC)

    @pytest.mark.parametrize("text", ["{", "", '{"participants": [{"id": "x", "more": 1}]}',
                                      participants_text([participant(), participant()])],
                             ids=["cut off", "empty", "unknown member", "id used twice"])
    def test_damaged(self, server, client, text):
        """With a damaged file at a reload, the previous participants stay, an error is logged, and the server continues."""
        server.log.expect(rf"\[registry:error\] .*{re.escape(str(server.participants_file))}")
        self.reload(server, text)
        passed(client.get(PAGE))
        passed(Client(server, OTHER, OTHER_SECRET).granted().get(PAGE))

    def test_damaged_then_repaired(self, server, client):
        server.log.expect(r"\[registry:error\]")
        self.reload(server, "{")
        self.reload(server, [participant(capabilities=["update"])])
        refused(server, client.get(PAGE), 403, "insufficient_capability", "capability_missing")

    def test_missing(self, server, client):
        os.unlink(server.participants_file)
        server.log.expect(r"\[registry:error\] .*No such file")
        server.graceful()
        passed(client.get(PAGE))

    def test_mode(self, server, client):
        os.chmod(server.participants_file, 0o644)
        server.log.expect(r"\[registry:error\] .*0644")
        server.graceful()
        passed(client.get(PAGE))

    def test_hard_restart(self, server, client):
        """The tables are the parent's: a hard restart keeps them too."""
        held, used = client.header(), client.header(client.generate())
        passed(server.get(PAGE, {"Authorization": used}))
        server.participants([participant(), participant("new", ["read"], OTHER_SECRET)])
        server.restart()
        passed(server.get(PAGE, {"Authorization": held}))
        refused(server, server.get(PAGE, {"Authorization": used}), 401, "replayed_nonce", "nonce_replayed")
        passed(Client(server, "new", OTHER_SECRET).granted().get(PAGE))


class TestWithoutRegistryFile:
    """sauth without participants refuses everybody, and starts."""

    site = Site(config=BASIC, participants=None)

    def test_nobody(self, server):
        server.log.allow("no RegistryFile: there are no participants")
        refused(server, Client(server).ask(), 401, "invalid_credentials", "participant_unknown")
        refused(server, server.get(PAGE), 401, "credentials_required", "credentials_missing", level="info")


class TestWithoutRegistry:
    """sauth without mod_registry fails closed."""

    def test_does_not_start(self, make_server):
        server = make_server(Site(config=BASIC, participants=None, ours=("sauth",)), start=False)
        server.log.allow("mod_registry is not loaded|AH00020")
        with pytest.raises(Unstartable, match="mod_registry is not loaded; add LoadModule"):
            server.start()

    def test_reload_below_satisfy_any(self, make_server):
        """httpd authenticates the client although check_access refused it: there are no grants to look at."""
        open_to_hosts = "Satisfy Any\nOrder deny,allow\nDeny from all"
        server = make_server(Site(modules=("access_compat",), expect=("Satisfy Any",),
                                  config=ENDPOINT + script("both", "Require capability read", open_to_hosts)))
        client = Client(server).granted()
        kept = [line for line in server.conf.read_text().splitlines() if not re.match("LoadModule registry_|Registry", line)]
        server.conf.write_text("\n".join(kept).replace(" registry:trace8", "") + "\n")
        server.graceful()
        server.log.allow("no registry of participants")
        for headers in ({}, {"Authorization": client.header()}):
            refused(server, server.get("/both", headers), 503, "unavailable", "location_unguarded", level="error")


class TestStatusPage:
    site = Site(config="<Location /status>\nSetHandler server-status\nRequire all granted\n</Location>\n" + BASIC,
                modules=("status",), participants=[participant(), participant("b")])

    def test_short(self, server):
        text = server.get("/status?auto").text
        assert "RegistryParticipants: 2\n" in text and "RegistryStale: 0\n" in text

    def test_stale(self, server):
        server.participants("{")
        server.log.expect(r"\[registry:error\]")
        server.graceful()
        assert "RegistryStale: 1\n" in server.get("/status?auto").text
        assert "stale" in server.get("/status").text
