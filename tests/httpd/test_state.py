"""SAuthStateFile: grants outlive a stop; after an unclean end grants stay, nonces begin anew."""
import os
import signal
import time

import pytest

from harness import BASIC, PAGE, SECRET, Caller, Site, Unstartable, b64url, participant, passed, refused


def directory(server, mode=0o700):
    path = server.root / "state"
    path.mkdir(exist_ok=True)
    path.chmod(mode)
    return path


@pytest.fixture
def server(make_server):
    """A server of its own per test, with a directory for the state."""
    running = make_server(Site(config='SAuthStateFile "@ROOT@/state/sauth.state"\n' + BASIC), start=False)
    directory(running)
    return running.start()


def again(server):
    server.stop()
    server.start()


def die(server):
    """The parent and its children end without a goodbye."""
    os.kill(server.process.pid, signal.SIGSTOP)  # it makes no more children
    children = server.children()
    for pid in [server.process.pid, *children]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    server.process.wait()
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    server.process = None
    server.log.allow("AH00098|AH01241|Unclean shutdown")


class TestStop:
    def test_grants_and_nonces_outlive_it(self, server):
        caller = Caller(server).granted(nonces=3)
        fresh, used = caller.generate(), caller.header()
        passed(server.get(PAGE, {"Authorization": used}))
        again(server)
        server.log.wait(r"\[sauth:notice\] .*1 grants .*a clean stop")
        refused(server, server.get(PAGE, {"Authorization": used}), 401, "replayed_nonce", "nonce_replayed")
        passed(server.get(PAGE, {"Authorization": caller.header()}))
        passed(server.get(PAGE, {"Authorization": caller.header(fresh)}))
        assert caller.refresh().status == 200

    def test_used_access_requests_outlive_it(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        assert caller.submit("request_access", form).status == 200
        again(server)
        answer = caller.submit("request_access", form)
        assert answer.status in (401, 503), repr(answer)
        server.log.allow("reason=(access_replayed|replay_memory_young)")

    def test_removed_participant(self, server):
        caller = Caller(server).granted()
        server.stop()
        server.participants([participant("else")])
        server.start()
        server.log.allow("reason=")
        assert caller.get(PAGE).status == 401

    def test_capabilities_by_name(self, server):
        """Numbers inside may change; what was granted is a name."""
        caller = Caller(server).granted("read")
        server.stop()
        server.participants([participant("first", ["zero", "update"]), participant(capabilities=["update", "read"])])
        server.start()
        passed(caller.get(PAGE))
        assert caller.refresh().json["access_to"] == ["read"]

    def test_twice(self, server):
        caller = Caller(server).granted()
        for _ in range(3):
            again(server)
            passed(caller.get(PAGE))


class TestUncleanEnd:
    def test_nonces_begin_anew(self, server):
        caller = Caller(server).granted()
        server.graceful()  # writes the grant down
        held, used = caller.generate(), caller.header()
        passed(server.get(PAGE, {"Authorization": used}))
        die(server)
        server.start()
        server.log.wait(r"\[sauth:notice\] .*1 grants .*no clean stop")
        for value in (used, caller.header(held)):
            refused(server, server.get(PAGE, {"Authorization": value}), 401, "stale_nonce", "nonce_foreign",
                    level="info")
        passed(caller.get(PAGE, nonce=caller.generate()))

    def test_access_requests_wait(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        assert caller.submit("request_access", form).status == 200
        die(server)
        server.start()
        refused(server, caller.submit("request_access", form), 503, "starting", "replay_memory_young", level="info")
        passed(caller.granted().get(PAGE))


class TestFile:
    def test_mode_and_content(self, server):
        caller = Caller(server).granted()
        server.stop()
        path = server.root / "state" / "sauth.state"
        assert path.stat().st_mode & 0o777 == 0o600
        for file in (server.root / "state").iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
            data = file.read_bytes()
            for secret in (caller.token.encode(), SECRET, b64url(SECRET).encode()):
                assert secret not in data, file

    @pytest.mark.parametrize("damage", ["bit", "cut", "empty", "text"])
    def test_damaged(self, server, damage):
        """What is not as it was written is set aside, said so, and not believed."""
        caller = Caller(server).granted()
        server.stop()
        path = server.root / "state" / "sauth.state"
        data = bytearray(path.read_bytes())
        if damage == "bit":
            data[len(data) // 2] ^= 1
        path.write_bytes({"bit": data, "cut": data[:-5], "empty": b"", "text": b"hello\n"}[damage])
        server.log.expect(r"\[sauth:error\] .*SAuthStateFile: .*set aside")
        server.start()
        refused(server, caller.get(PAGE, nonce="A" * 22), 401, "invalid_credentials", "token_unknown")
        passed(caller.granted().get(PAGE))

    def test_of_another_server(self, server, make_server):
        """Its MAC is made with a key of its own."""
        other = make_server(Site(config='SAuthStateFile "@ROOT@/state/sauth.state"\n' + BASIC), start=False)
        directory(other)
        other.start()
        Caller(other).granted()
        other.stop()
        server.stop()
        (server.root / "state" / "sauth.state").write_bytes((other.root / "state" / "sauth.state").read_bytes())
        server.log.expect(r"\[sauth:error\] .*set aside")
        server.start()

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o775], ids=oct)
    def test_directory_that_others_may_write(self, make_server, mode):
        server = make_server(Site(config='SAuthStateFile "@ROOT@/state/sauth.state"\n' + BASIC), start=False)
        directory(server, mode)
        server.log.allow("SAuthStateFile|AH00020|AH00016")
        with pytest.raises(Unstartable, match="SAuthStateFile"):
            server.start()

    def test_no_directory(self, make_server):
        server = make_server(Site(config='SAuthStateFile "@ROOT@/none/sauth.state"\n' + BASIC), start=False)
        server.log.allow("SAuthStateFile|AH00020|AH00016")
        with pytest.raises(Unstartable, match="SAuthStateFile"):
            server.start()

    def test_symbolic_link(self, make_server):
        server = make_server(Site(config='SAuthStateFile "@ROOT@/state/sauth.state"\n' + BASIC), start=False)
        target = server.root / "target"
        target.write_text("untouched")
        (directory(server) / "sauth.state").symlink_to(target)
        server.log.allow("SAuthStateFile|AH00020|AH00016")
        try:
            server.start()
        except Unstartable:
            pass
        server.stop()
        assert target.read_text() == "untouched"
