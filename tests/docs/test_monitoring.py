"""The page about monitoring: each number and each log line on it exists."""
import re

import pytest

import outcomes
from harness import BASIC, OTHER, OTHER_SECRET, PAGE, PEOPLE, Client, Site
from harness.ends import stop_without_directory
from pages import block, read, rows
from test_guides import run

PAGE_OF = "docs/guides/monitoring.md"
STATUS = block(PAGE_OF, "Numbers", "apache")
TABLE = rows(read(PAGE_OF))
NUMBERS = [cells[0].strip("`") for cells in TABLE if re.match("`[SR]", cells[0])]


def lines(before):
    """What lines of the log have, as the table behind the text `before` names it."""
    table = re.search(r"(?:^\|.*\n)+", read(PAGE_OF).split(before, 1)[1], re.MULTILINE).group()
    return [found for cells in rows(table) for found in re.findall("`([^`]+)`", cells[0])]


ERRORS = lines("these, all at level `error`")
WARNINGS = lines("A burst of these")


class TestNumbers:
    site = Site(modules=("status", "authz_host", "remoteip"), participants=PEOPLE, config=BASIC + STATUS +
                "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n")

    def short(self, server):
        text = server.get("/server-status?auto").text
        return {name: int(value) for name, value in re.findall(r"^((?:SAuth|ISign|Registry)\w+): (\d+)$", text, re.M)}

    def test_each(self, server):
        found = self.short(server)
        assert sorted(found) == sorted(NUMBERS)
        assert (found["RegistryParticipants"], found["RegistryStale"], found["SAuthGrants"]) == (len(PEOPLE), 0, 0)
        Client(server).granted()
        assert self.short(server)["SAuthGrants"] == 1 and self.short(server)["SAuthReplays"] == 1

    def test_for_people(self, server):
        text = server.get("/server-status").text
        found = self.short(server)
        assert "<h2>Grants</h2>" in text and "<h2>Participants</h2>" in text
        assert f"{found['SAuthGrants']} of {found['SAuthGrantCapacity']} grants; " in text
        assert f"{found['SAuthReplays']} of {found['SAuthReplayCapacity']} used" in text
        assert re.search(rf"<p>{found['RegistryParticipants']} of {found['RegistryCapacity']}, read 20[0-9-]+T", text)

    def test_command(self, server, tmp_path):
        said = run(block(PAGE_OF, "Numbers", "sh").replace("8080", str(server.port)), tmp_path)
        assert sorted(line.split(":")[0] for line in said.splitlines()) == sorted(NUMBERS)

    def test_elsewhere(self, server):
        server.log.expect("AH01630")
        assert server.get("/server-status?auto", {"X-Forwarded-For": "192.0.2.7"}).status == 403
        assert server.get("/server-status?auto").status == 200

    def test_stale(self, server):
        server.log.expect(r"\[registry:error\] .*the previous participants stay in effect")
        server.participants("{")
        server.graceful()
        assert self.short(server)["RegistryStale"] == 1
        assert "; stale: " in server.get("/server-status").text


@pytest.fixture
def server(make_server, request):
    return make_server(request.cls.site)


@pytest.mark.parametrize("level, named", [("FAULT", ERRORS), ("NOTABLE", WARNINGS)])
def test_reasons(level, named):
    """Each reason of a row is logged at the row's level; the row of what is full names all of them."""
    severity = {one["tag"]: one["severity"] for one in outcomes.outcomes()}
    tags = [name.removeprefix("reason=") for name in named if " " not in name]
    assert len(tags) > 5
    for tag in tags:
        found = {severity[one] for one in severity if one == tag or tag == "fault_" and one.startswith(tag)}
        assert found == {level}, tag
    for one, its in severity.items():
        if one.endswith(("_full", "_quota")) and its == level:
            assert one in tags, one


class TestLines:
    """Those without a reason, each brought about."""

    def test_reload(self, make_server):
        server = make_server(Site(participants=PEOPLE, config=BASIC))
        server.participants("{")
        server.configure(BASIC + '<Location "/open">\nAuthType SAuth\nAuthName x\n</Location>\n')
        server.graceful()
        for has in ("the previous participants stay in effect", "respond with 503 until"):
            assert has in ERRORS
            server.log.expect(rf"\[\w+:error\] .*{has}")

    def test_state_file(self, make_server):
        server = make_server(Site(participants=PEOPLE, config='SAuthStateFile "@ROOT@/state/grants"\n' + BASIC), start=False)
        (server.root / "state").mkdir(mode=0o700)
        server.start()
        server.stop()
        (server.root / "state/grants").write_bytes(b"damaged")
        server.start()
        server.log.expect(r"\[sauth:error\] .*it is set aside as")
        stop_without_directory(server, r"\[sauth:error\] .*sauth: SAuthStateFile: ", "current grants will be lost")
        assert {"it is set aside as", "nothing was saved at this stop"} < set(ERRORS)

    def test_refusals(self, make_server):
        """The reason stands in the line as the page has it."""
        server = make_server(Site(participants=PEOPLE, config="SAuthGrantCapacity 1\nSAuthGrantQuota 1\n"
                                  "SAuthReplayCapacity 9\nSAuthReplayQuota 9\n" + BASIC))
        client = Client(server).granted(nonces=2)
        used = client.header()
        assert server.get(PAGE, {"Authorization": used}).status == 200
        assert server.get(PAGE, {"Authorization": used}).status == 401
        server.log.expect(r"\[sauth:warn\] .* reason=nonce_replayed ")
        assert Client(server).ask().status == 429
        server.log.expect(r"\[sauth:warn\] .* reason=grant_quota ")
        assert Client(server, OTHER, OTHER_SECRET).ask().status == 503
        server.log.expect(r"\[sauth:error\] .* reason=grants_full ")
        assert Client(server, secret=OTHER_SECRET).ask().status == 401
        server.log.expect(r"\[sauth:warn\] .* reason=mac_mismatch ")
