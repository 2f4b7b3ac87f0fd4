"""httpd -t: valid and invalid values of each directive. Each error names the directive."""
import re

import pytest

from harness import Client, ENDPOINT, PAGE, Server, Site, Unstartable, location, participant, passed, refused
from harness.locate import build_dir


TOO_LARGE = "99999999999999999999"
NO_NUMBERS = ["", "-1", "abc", "1.5", "1x", "0x10", "+1", "'1 '", TOO_LARGE]

GOOD_SERVER = {
    "RegistryCapacity": ["1", "10000", "1000000"],
    "SAuthClockSkew": ["1", "30", "300"],
    "SAuthHash": ["sha256", "sha256 sha1"],
    "SAuthPartialGrants": ["On", "Off", "on"],
    "SAuthRefreshWindow": ["0", "1", "3600"],
    "SAuthGrantCapacity": ["1", "8", "10000"],
    "SAuthGrantQuota": ["1", "100"],
    "SAuthNonceLifetime": ["1", "300"],
    "SAuthGrantMaxAge": ["60", "2592000"],
    "SAuthReplayCapacity": ["1", "10000"],
    "SAuthReplayQuota": ["1", "100"],
    "SAuthRequestRequire": ["id", "aud", "id aud"],
    "SAuthChallenge": ["hmac-sha256", "md5", "md5 hmac-sha256"],
    "SAuthChallengeDomain": ["example.org", "x" * 255, "Orders-2_b"],
    "SAuthChallengeSeparator": [":", "'12345678'", "' '"],
    "SAuthChallengeLifetime": ["60", "600", "86400"],
}

GOOD_LOCATION = {
    "SAuthScope": ["red", "a", "tenant.1"],
    "SAuthMode": ["enforce", "observe"],
    "SAuthPass": ["env", "headers"],
    "SAuthPassAuthorization": ["On", "Off"],
    "SAuthAccept": ["sauth", "signature", "challenge", "sauth signature challenge"],
    "ISign": ["off", "optional", "digest", "require"],
    "ISignMode": ["enforce", "observe"],
    "ISignNonce": ["required", "optional"], "ISignClockSkew": ["0", "5", "3600"], "ISignLabel": ["sig1", "*", "none"],
    "ISignBody": ["spool", "spool 64K", "spool 1024 1M", "spool 256K 64M"],
    "Require": ["capability read", "capability read update", "capability %{req:X-A}", "participant a", "participant a b",
                "participant-role consumer", "call a.b", "call a.b c:d/e", "call %{req:X-A}", "<RequireAll>\nRequire not capability x\nRequire capability read\n</RequireAll>"],
}

BAD = [(name, value) for name in ("RegistryCapacity", "SAuthClockSkew", "SAuthGrantCapacity", "SAuthGrantQuota",
                                  "SAuthNonceLifetime", "SAuthGrantMaxAge", "SAuthReplayCapacity", "SAuthReplayQuota")
       for value in NO_NUMBERS + ["0", "1 2", None] if not (name == "SAuthClockSkew" and value == "0")]
BAD += [("SAuthRefreshWindow", value) for value in NO_NUMBERS + ["1 2", None]]
BAD += [("SAuthHash", value) for value in ("md5", "sha256 md5", "SHA-256", "", None, "sha512")]
BAD += [("SAuthChallenge", value) for value in ("sha1", "hmac-sha256 sha1", "MD5", "none", "", None)]
BAD += [("SAuthChallengeDomain", value) for value in
        ("", None, "'a b'", "a b", "x" * 256, "https://api.example.org/", "api.example.org:443", "api.example.org/x", "a@b",
         "[::1]", "user|x", "\u00e4.example.org")]
BAD += [("SAuthChallengeSeparator", value) for value in (None, "123456789", "\x01", "\u00e9", ": :")]
BAD += [("SAuthChallengeLifetime", value) for value in NO_NUMBERS + ["59", "86401", "1 2", None]]
BAD += [("SAuthPartialGrants", value) for value in ("yes", "", None)]
BAD += [("SAuthRequestRequire", value) for value in ("uid", "id id2", "", None)]
BAD += [(name, value) for name in ("RegistryFile", "SAuthStateFile", "ISignStateFile", "ISignSpoolDirectory") for value in ("", None, "a b")]

BAD_LOCATION = [("SAuthMode", value) for value in ("watch", "", None, "enforce observe")]
BAD_LOCATION += [("SAuthScope", value) for value in ("", None, "a b", "'a b'", "x" * 300)]
BAD_LOCATION += [("SAuthPass", value) for value in ("both", "", None)]
BAD_LOCATION += [("SAuthPassAuthorization", value) for value in ("yes", "", None)]
BAD_LOCATION += [("SAuthAccept", value) for value in ("basic", "", None, "sauth basic")]
BAD_LOCATION += [("ISign", value) for value in ("on", "", None, "observe", "off require")]
BAD_LOCATION += [("ISignNonce", value) for value in ("off", "", None)]
BAD_LOCATION += [("ISignClockSkew", value) for value in ("-1", "3601", "x", "", None)]
BAD_LOCATION += [("ISignLabel", value) for value in ("Sig1", "1", "a b", "", None)]
BAD_LOCATION += [("ISignExternal", "https://a.example\nISignExternal https://b.example"), ("ISignAlgorithms", "all ed25519"),
                 ("ISignAlgorithms", "ed25519 all")]
BAD_LOCATION += [("ISignMode", value) for value in ("off", "", None, "enforce observe")]
BAD_LOCATION += [("ISignBody", value) for value in
                 ("file", "", None, "spool x", "spool -1", "spool 1K x", "spool 2M 1M", "spool 1T", "spool 1K 2K 3K",
                  f"spool {TOO_LARGE}", "spool 1K " + TOO_LARGE + "M", "spool K")]
BAD_LOCATION += [("Require", value) for value in
                 ("call", "call a,b", "call %{req:", "capability", "capability a,b", "capability a, b", "participant", "participant-role", "capability %{req:", "participant %{nonsense:x}",
                  "participant-role %{req:")]

GLOBAL_ONLY = ["RegistryFile conf/x.json", "RegistryCapacity 10", "SAuthGrantCapacity 10", "SAuthReplayCapacity 10",
               "SAuthStateFile state/grants", "ISignStateFile state/nonces", "SAuthChallenge hmac-sha256", "SAuthChallengeDomain x", "SAuthChallengeSeparator :",
               "SAuthChallengeLifetime 600"]


def line(name, value):
    return name if value is None else f'{name} ""' if value == "" else f"{name} {value}"


def ids(rows):
    return [f"{name}-{value!r}"[:60] for name, value in rows]


class Checks:
    @pytest.fixture(scope="class")
    def idle(self):
        """A server that is never started."""
        if build_dir() is None:
            pytest.skip("INTERAUTH_BUILD does not name a build directory")
        server = Server(Site(modules=("rewrite",)))
        yield server
        assert server.close() == []

    def check(self, idle, config):
        idle.configure(config)
        return idle.check()

    def refusal(self, idle, config, name):
        accepted, said = self.check(idle, config)
        assert not accepted, f"accepted: {config}"
        assert name in said, said
        return said


class TestValues(Checks):
    @pytest.mark.parametrize("name, value", [(name, value) for name in GOOD_SERVER for value in GOOD_SERVER[name]])
    def test_good(self, idle, name, value):
        accepted, said = self.check(idle, line(name, value) + "\n" + ENDPOINT)
        assert accepted, said

    @pytest.mark.parametrize("name, value", [(name, value) for name in GOOD_LOCATION for value in GOOD_LOCATION[name]])
    def test_good_in_a_location(self, idle, name, value):
        text = value if value.startswith("<") else line(name, value)
        accepted, said = self.check(idle, location("/files", "Require capability read", text))
        assert accepted, said

    @pytest.mark.parametrize("name, value", BAD, ids=ids(BAD))
    def test_bad(self, idle, name, value):
        said = self.refusal(idle, line(name, value) + "\n", name)
        assert re.search(r"line \d+ of .*httpd\.conf", said) or name == "RegistryFile", said

    @pytest.mark.parametrize("name, value", BAD_LOCATION, ids=ids(BAD_LOCATION))
    def test_bad_in_a_location(self, idle, name, value):
        more = line(name, value)
        requirement = "Require valid-user" if name == "Require" else "Require capability read"
        said = self.refusal(idle, location("/files", requirement, more), name)
        assert re.search(r"line \d+ of .*httpd\.conf", said), said


class TestContext(Checks):
    @pytest.mark.parametrize("directive", GLOBAL_ONLY)
    def test_not_in_a_virtual_host(self, idle, directive):
        self.refusal(idle, f"<VirtualHost *:@PORT@>\n{directive}\n</VirtualHost>\n", directive.split()[0])

    @pytest.mark.parametrize("directive", GLOBAL_ONLY)
    def test_not_in_a_location(self, idle, directive):
        self.refusal(idle, f'<Location "/x">\n{directive}\n</Location>\n', directive.split()[0])

    def test_directory_and_files_and_if(self, idle):
        for section in ('<Directory "/srv">', '<Files "x">', '<If "true">', '<LocationMatch "^/x">'):
            close = "</" + section[1:].split()[0] + ">"
            accepted, said = self.check(idle, f"{section}\nAuthType SAuth\nAuthName x\nSAuthScope a\nSAuthMode observe\n"
                                              f"ISign digest\nRequire capability read\n{close}\n")
            assert accepted, said

    def test_capabilities_are_separated_by_spaces(self, idle):
        accepted, said = self.check(idle, location("/files", "Require capability read,update"))
        assert not accepted
        assert 'Require capability: separate names by spaces, not by commas: "read,update"' in said

    def test_observe_is_no_longer_a_level(self, idle):
        accepted, said = self.check(idle, '<Location "/x">\nISign observe\n</Location>\n')
        assert not accepted
        assert 'ISign observe is now written as two directives: "ISign digest" and "ISignMode observe"' in said

    def test_virtual_hosts(self, idle):
        accepted, said = self.check(idle, f"<VirtualHost *:@PORT@>\nSAuthHash sha256 sha1\n{ENDPOINT}</VirtualHost>\n")
        assert accepted, said


HTACCESS = ["SAuthMode observe", "SAuthScope x", "SAuthPass headers", "SAuthPassAuthorization On", "ISign off", "ISignMode observe",
            "ISignBody spool 1K", "SAuthAccept sauth", "SAuthAccept challenge"]


class TestHtaccess:
    """A .htaccess file cannot weaken the server's configuration."""

    site = Site(config=ENDPOINT, files={f"d{n}/.htaccess": text + "\n" for n, text in enumerate(HTACCESS)})

    @pytest.mark.parametrize("number", range(len(HTACCESS)))
    def test_not_allowed(self, server, number):
        server.log.expect(rf"\.htaccess: {HTACCESS[number].split()[0]} not allowed here")
        assert server.get(f"/d{number}/").status == 500


BARE = '<Location "/x">\nAuthType SAuth\nAuthName x\n</Location>\n'

UNGUARDED = [
    ("location", BARE),
    ("in a virtual host", '<VirtualHost *:@PORT@>\n<Location "/x">\nAuthType SAuth\nAuthName x\n</Location>\n'
                          "</VirtualHost>\n"),
    ("any case", '<Location "/x">\nAuthType sauth\nAuthName x\n</Location>\n'),
    ("quoted", '<Location "/x">\nAuthType "SAuth"\nAuthName x\n</Location>\n'),
    ("grouped", "<IfModule mod_sauth.c>\n<IfModule mod_sauth.c>\n" + location("/a", "Require capability read")
     + "</IfModule>\n</IfModule>\n<IfModule mod_sauth.c>\n<IfModule mod_sauth.c>\n" + BARE
     + "</IfModule>\n</IfModule>\n"),
    ("after a grouped section in a virtual host", "<VirtualHost *:@PORT@>\n<IfModule mod_sauth.c>\n"
     + location("/a", "Require capability read") + "</IfModule>\n</VirtualHost>\n" + BARE),
]

GUARDED = [
    ("in the section", location("/x", "Require capability read")),
    ("in a container", '<Location "/x">\nAuthType SAuth\nAuthName x\n<RequireAny>\nRequire capability read\n'
                       "</RequireAny>\n</Location>\n"),
    ("in a section within", '<Location "/x">\nAuthType SAuth\nAuthName x\n<Limit GET>\nRequire capability read\n</Limit>\n'
                            "<LimitExcept GET>\nRequire all denied\n</LimitExcept>\n</Location>\n"),
    ("in a more general section", '<Location "/x">\nRequire capability read\n</Location>\n<Location "/x/y">\n'
                                  "AuthType SAuth\nAuthName x\n</Location>\n"),
    ("another scheme", '<Location "/x">\nAuthType Basic\nAuthName x\n</Location>\n'),
]


class TestUnguarded(Checks):
    """AuthType SAuth without a Require protects nothing: a start-up error that names file and line."""

    @pytest.mark.parametrize("config", [pytest.param(row[1], id=row[0]) for row in UNGUARDED])
    def test_refused(self, idle, config):
        said = self.refusal(idle, ENDPOINT + config, "AuthType SAuth")
        lines = idle.conf.read_text().splitlines()
        numbers = [n + 1 for n, text in enumerate(lines) if re.search(r"(?i)authtype\s+\"?sauth", text)
                   or re.match(r'<(Location|Directory) ".*x">', text)]
        assert any(f"{idle.conf}:{n}" in said or f"line {n} of {idle.conf}" in said for n in numbers), said

    @pytest.mark.parametrize("config", [pytest.param(row[1], id=row[0]) for row in GUARDED])
    def test_accepted(self, idle, config):
        accepted, said = self.check(idle, ENDPOINT + config)
        assert accepted, said

    def test_does_not_start(self, idle):
        idle.configure(UNGUARDED[0][1])
        with pytest.raises(Unstartable, match="AuthType SAuth"):
            idle.start()
        idle.log.allow("AuthType SAuth|AH00016|configuration failed|Configuration Failed")


CALLED = "SAuthAccept challenge"
NO_CALLS, NO_LOGIN = "never matches, because 'SAuthAccept challenge'", "clients cannot log in"

INCOMPLETE = [
    ("calls that nobody makes", location("/x", "Require call a.b"), "Require call a.b", NO_CALLS),
    ("not in a container", location("/x", "<RequireAll>\nRequire capability read\nRequire not call a.b\n</RequireAll>"),
     "Require not call a.b", NO_CALLS),
    ("calls elsewhere", ENDPOINT + location("/x", "Require call a.b") + location("/y", "Require call a.b", CALLED),
     "Require call a.b", NO_CALLS),
    ("no endpoint", location("/x", "Require capability read", CALLED), CALLED, NO_LOGIN),
]

WHOLE = [
    ("around it", location("/", "Require capability read", CALLED) + ENDPOINT + location("/x", "Require call a.b")),
    ("of the virtual host", ENDPOINT + f"<VirtualHost *:@PORT@>\n{CALLED}\n" + location("/x", "Require call a.b")
     + "</VirtualHost>\n"),
    ("of another kind", ENDPOINT + f'<Directory "/">\n{CALLED}\n</Directory>\n' + location("/x", "Require call a.b")),
    ("a pattern", ENDPOINT + f'<LocationMatch "x">\n{CALLED}\n</LocationMatch>\n' + location("/x", "Require call a.b")),
    ("within", ENDPOINT + location("/x", "Require call a.b", f'<If "true">\n{CALLED}\n</If>')),
    ("calls", ENDPOINT + location("/x", "Require call a.b", CALLED)),
    ("calls of the server", ENDPOINT + CALLED + "\n" + location("/x", "<RequireAny>\nRequire call a.b\n</RequireAny>")),
    ("a quoted handler", ENDPOINT.replace("SetHandler sauth", 'SetHandler "sauth"') + location("/x", "Require call a.b", CALLED)),
]


class TestConfigLint(Checks):
    """Warnings, with file and line, of configurations that refuse every client."""

    @pytest.mark.parametrize("config, directive, says", [pytest.param(*row[1:], id=row[0]) for row in INCOMPLETE])
    def test_warned(self, idle, config, directive, says):
        accepted, said = self.check(idle, config)
        assert accepted, said
        lines = [n + 1 for n, text in enumerate(idle.conf.read_text().splitlines()) if text.strip() == directive]
        assert any(f"{idle.conf}:{n}: {directive}: " in said for n in lines) and said.count(says) == 1, said

    @pytest.mark.parametrize("config", [pytest.param(row[1], id=row[0]) for row in WHOLE])
    def test_complete(self, idle, config):
        accepted, said = self.check(idle, config)
        assert accepted and not any(says in said for says in (NO_CALLS, NO_LOGIN)), said

    def test_signatures_without_mod_isign(self, make_server):
        config = ENDPOINT + location("/x", "Require capability read", "SAuthAccept signature")
        server = make_server(Site(config=config, ours=("registry", "sauth")), start=False)
        accepted, said = server.check()
        assert accepted and re.search(r"httpd\.conf:\d+: SAuthAccept signature: signatures are not verified unless", said), said


class TestUnguardedAtReload:
    """At a reload such a configuration does not end the server: its AuthType SAuth locations answer 503."""

    site = Site(config=ENDPOINT + location("/files", "Require capability read"))

    def test_responses_503(self, server):
        client = Client(server).granted()
        server.configure(self.site.config + UNGUARDED[0][1])
        server.log.expect(r"\[sauth:error\] .*httpd\.conf:\d+: AuthType SAuth")
        server.graceful()
        assert server.get("/index.html").status == 200
        refused(server, server.get(PAGE, {"Authorization": client.header(client.nonces[0])}), 503, "unavailable",
                "location_unguarded", level="error")
        server.configure(self.site.config)
        server.graceful()
        passed(client.get(PAGE))


class TestLoadOrder:
    """The order of LoadModule does not matter, and each module loads alone."""

    @pytest.mark.parametrize("ours", [("registry", "isign", "sauth"), ("sauth", "isign", "registry"),
                                      ("isign", "sauth", "registry"), ("sauth", "registry")])
    def test_order(self, make_server, ours):
        server = make_server(Site(ours=ours, config=ENDPOINT + location("/files", "Require capability read"),
                                  participants=[participant()]))
        passed(Client(server).granted().get(PAGE))

    @pytest.mark.parametrize("ours", [("registry",), ("isign",), ("isign", "registry")])
    def test_alone(self, make_server, ours):
        server = make_server(Site(ours=ours, participants=[participant()] if "registry" in ours else None))
        assert server.get("/index.html").status == 200
        server.graceful()
        assert server.get("/index.html").status == 200
