"""ISignStateFile keeps used nonces over a clean stop; a file of any other origin is not trusted."""
import hmac
import os
import re
import shutil
import stat

import pytest

from harness import BASIC, Client, OTHER, PAGE, Site, UID, Unstartable, passed
from harness.ends import ENDED_BADLY, after_crash, again, stop_without_directory, with_state
from harness.signed import BODY, ED, JSON, PEOPLE, STRANGER, opened, untouched
from harness.signer import Signer

STATE = 'ISignStateFile "@ROOT@/state/nonces"\n'
OURS = r"\[isign:error\] .*isign: ISignStateFile: "
FILES = ["nonces", "nonces.key", "nonces.lock"]
REPLAYED = 401, "signature_replayed", "sig_nonce_replayed"


def state_of(server):
    return server.root / "state" / "nonces"


def key_of(server):
    return server.root / "state" / "nonces.key"


@pytest.fixture
def make_keeper(make_server):
    """A factory of servers that keep used nonces."""
    def make(config="", start=True, **options):
        options.setdefault("participants", PEOPLE)
        return with_state(make_server, Site(config=STATE + config + opened("in"), **options), start)
    return make


@pytest.fixture
def keeper(make_keeper):
    return make_keeper()


def signer_of(server):
    return Signer(server, ED, UID + "#ed25519")


def used_and_held(server, **how):
    """Headers of two requests of which one was sent."""
    signer = signer_of(server)
    used, held = (signer.headers("GET", "/in", **how) for _ in range(2))
    assert server.get("/in", used).status == 200
    return used, held


def starting(server, pairs):
    untouched(server, lambda: server.get("/in", pairs), 503, "starting", "replay_cache_warming", level="info")


def replayed(server, pairs):
    untouched(server, lambda: server.get("/in", pairs), *REPLAYED)


class TestCleanStop:
    def test_used_and_not_used(self, keeper):
        used, held = used_and_held(keeper)
        again(keeper)
        replayed(keeper, used)
        assert keeper.get("/in", held).status == 200
        again(keeper)
        for pairs in (used, held):
            replayed(keeper, pairs)
        assert signer_of(keeper).get("/in").status == 200

    def test_body(self, keeper):
        pairs = signer_of(keeper).headers("POST", "/in", JSON, BODY)
        assert keeper.post("/in", BODY, pairs).status == 200
        again(keeper)
        untouched(keeper, lambda: keeper.post("/in", BODY, pairs), *REPLAYED)

    def test_says_so(self, keeper):
        for _ in range(3):
            assert signer_of(keeper).get("/in").status == 200
        again(keeper)
        line = keeper.log.wait(r"\[isign:notice\] .*a clean stop")[-1]
        assert "isign: 3 used signatures from " in line and str(state_of(keeper)) in line

    def test_without_a_file(self, make_server):
        """Without the file, signatures are refused for a while after a start."""
        server = make_server(Site(config=opened("in"), participants=PEOPLE))
        used, held = used_and_held(server)
        again(server)
        for pairs in (used, held):
            starting(server, pairs)

    def test_participants_in_another_order(self, make_keeper):
        """The file names a participant by its id."""
        server = make_keeper()
        theirs = Signer(server, STRANGER, OTHER + "#theirs").headers("GET", "/in")
        used, _ = used_and_held(server)
        assert server.get("/in", theirs).status == 200
        server.stop()
        server.participants(PEOPLE[::-1])
        server.start()
        for pairs in (used, theirs):
            replayed(server, pairs)

    def test_participant_away_and_back(self, keeper):
        used, _ = used_and_held(keeper)
        keeper.stop()
        keeper.participants(PEOPLE[1:])
        keeper.start()
        keeper.participants(PEOPLE)
        again(keeper)
        replayed(keeper, used)

    def test_beside_grants(self, make_keeper):
        """Both modules keep files in one directory."""
        server = make_keeper('SAuthStateFile "@ROOT@/state/grants"\n' + BASIC)
        client = Client(server).granted(nonces=2)
        used, held = used_and_held(server)
        again(server)
        replayed(server, used)
        assert server.get("/in", held).status == 200
        passed(client.get(PAGE))

    @pytest.mark.parametrize("mpm", ["prefork", "worker"])
    def test_other_mpms(self, make_keeper, mpm):
        server = make_keeper(mpm=mpm)
        used, held = used_and_held(server)
        again(server)
        replayed(server, used)
        assert server.get("/in", held).status == 200


class TestUncleanEnd:
    def test_signatures_of_before_wait(self, keeper):
        used, held = used_and_held(keeper)
        after_crash(keeper)
        for pairs in (used, held):
            starting(keeper, pairs)
        assert keeper.log.wait("nonces was not written at a clean stop: earlier signatures are refused")

    def test_marked_before_it_serves(self, keeper):
        """A clean file is used for one start only."""
        again(keeper)
        used, _ = used_and_held(keeper)
        after_crash(keeper)
        starting(keeper, used)

    def test_reload_marks_it_too(self, keeper):
        keeper.graceful()
        used, held = used_and_held(keeper)
        keeper.graceful()
        replayed(keeper, used)
        after_crash(keeper)
        for pairs in (used, held):
            starting(keeper, pairs)

    def test_clean_stop_after_a_crash(self, keeper):
        """After a crash, the memory of nonces begins at the next start, also after a later clean stop."""
        used, _ = used_and_held(keeper)
        after_crash(keeper)
        again(keeper)
        starting(keeper, used)


class TestNotBelieved:
    """A file that cannot be trusted is set aside, and signatures are refused for a while as without one."""

    def course(self, server, reason, *pairs):
        server.start()
        line = server.log.wait(OURS)[-1]
        server.log.expect(OURS)
        aside = [path.name for path in (server.root / "state").iterdir() if ".aside-" in path.name]
        assert re.search(reason, line) and len(aside) == 1 and aside[0] in line, line
        for one in pairs:
            starting(server, one)

    @pytest.mark.parametrize("change, reason", [
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], "damaged"), (lambda data: data[:-1], "damaged"),
        (lambda data: b"", "truncated"), (lambda data: os.urandom(200), "damaged")], ids=["bit", "byte", "empty", "other"])
    def test_damaged(self, keeper, change, reason):
        pairs = used_and_held(keeper)
        keeper.stop()
        state_of(keeper).write_bytes(change(state_of(keeper).read_bytes()))
        self.course(keeper, reason, *pairs)

    def test_other_key(self, keeper):
        pairs = used_and_held(keeper)
        keeper.stop()
        key_of(keeper).write_bytes(os.urandom(32))
        self.course(keeper, "another key", *pairs)

    def test_other_version(self, keeper):
        pairs = used_and_held(keeper)
        keeper.stop()
        data = re.sub(rb"^interauth state .", b"interauth state ?", state_of(keeper).read_bytes()[:-32])
        state_of(keeper).write_bytes(data + hmac.digest(key_of(keeper).read_bytes(), data, "sha256"))
        self.course(keeper, "another version", *pairs)

    def test_readable_by_others(self, keeper):
        pairs = used_and_held(keeper)
        keeper.stop()
        state_of(keeper).chmod(0o644)
        self.course(keeper, "mode 0644", *pairs)

    @pytest.mark.parametrize("name, change, reason", [
        ("nonces", lambda path: path.chmod(0o644), "mode 0644"), ("nonces", lambda path: path.write_bytes(b"x"), "truncated"),
        ("nonces.key", lambda path: path.unlink(), "but its key")], ids=["mode", "short", "no key"])
    def test_announced(self, keeper, name, change, reason):
        """`httpd -t` reports a file that a start would set aside."""
        assert keeper.check() == (True, "Syntax OK\n")
        keeper.stop()
        assert keeper.check() == (True, "Syntax OK\n")
        change(keeper.root / "state" / name)
        accepted, said = keeper.check()
        assert accepted and re.search(r"isign: ISignStateFile: .*" + reason + ".*; the next start will set it aside, and earlier signatures are refused", said), said

    def test_file_of_grants(self, make_keeper):
        """The file of mod_sauth does not know used signatures: it is refused under the name of this one."""
        server = make_keeper('SAuthStateFile "@ROOT@/state/grants"\n' + BASIC)
        Client(server).granted()
        pairs = used_and_held(server)
        server.stop()
        for end in ("", ".key"):
            shutil.copy2(server.root / "state" / f"grants{end}", server.root / "state" / f"nonces{end}")
        self.course(server, "another directive", *pairs)

    def test_file_of_signatures(self, make_keeper):
        server = make_keeper('SAuthStateFile "@ROOT@/state/grants"\n' + BASIC)
        server.stop()
        for end in ("", ".key"):
            shutil.copy2(server.root / "state" / f"nonces{end}", server.root / "state" / f"grants{end}")
        server.start()
        server.log.expect("sauth: SAuthStateFile: .*another directive.* all grants are lost")

    def test_removed(self, keeper):
        """A missing file is not an error: it is missing at the first start."""
        pairs = used_and_held(keeper)
        keeper.stop()
        state_of(keeper).unlink()
        keeper.start()
        for one in pairs:
            starting(keeper, one)

    def test_old_file_of_a_directive_that_comes_back(self, keeper):
        """A reload does not read the file: shared memory knows more."""
        keeper.stop()
        clean = state_of(keeper).read_bytes()
        keeper.configure(opened("in"))
        keeper.start()
        used, held = used_and_held(keeper)
        assert state_of(keeper).read_bytes() == clean
        keeper.configure(STATE + opened("in"))
        keeper.graceful()
        assert state_of(keeper).read_bytes() != clean
        replayed(keeper, used)
        again(keeper)
        replayed(keeper, used)
        assert keeper.get("/in", held).status == 200


class TestMeanwhile:
    def test_smaller_capacity(self, make_keeper):
        """If the file is incomplete, the memory of nonces begins at the start."""
        server = make_keeper("ISignReplayCapacity 160\n")
        pairs = [signer_of(server).headers("GET", "/in") for _ in range(6)]
        for one in pairs:
            assert server.get("/in", one).status == 200
        server.stop()
        server.configure(STATE + "ISignReplayCapacity 3\n" + opened("in"))
        server.start()
        for one in pairs:
            starting(server, one)

    @pytest.mark.parametrize("end", ["graceful", "again"])
    def test_longer_age(self, keeper, end):
        """Signatures whose nonces were forgotten under the default ISignMaxAge are refused under a longer one."""
        used, _ = used_and_held(keeper)
        keeper.clock.reach(keeper.listening_at + 365)
        untouched(keeper, lambda: keeper.get("/in", used), 401, "signature_expired", "sig_created_old")
        keeper.configure(STATE + "ISignMaxAge 3600\n" + opened("in"))
        keeper.graceful() if end == "graceful" else again(keeper)
        starting(keeper, used)
        assert signer_of(keeper).get("/in").status == 200


class TestUnsafe:
    """The server does not start if another user could replace the file, or two directives name the same one."""

    def refuses(self, server, *parts, directive="isign: ISignStateFile: "):
        accepted, said = server.check()
        assert not accepted and directive in said and all(part in said for part in parts), said
        with pytest.raises(Unstartable) as error:
            server.start()
        assert directive in str(error.value)
        server.log.allow("StateFile: |AH00020")

    def test_directory(self, make_keeper):
        server = make_keeper(start=False)
        (server.root / "state").chmod(0o755)
        self.refuses(server, str(server.root / "state"), "must be a directory that only user")
        (server.root / "state").chmod(0o700)
        assert server.check()[0]
        server.start()

    def test_no_directory(self, make_keeper):
        server = make_keeper(start=False)
        (server.root / "state").rmdir()
        self.refuses(server, str(server.root / "state"), "No such file")

    @pytest.mark.parametrize("path", ["state/nonces", "state/../state/nonces", "link/nonces"])
    def test_one_file_for_both(self, make_keeper, path):
        server = make_keeper(f'SAuthStateFile "@ROOT@/{path}"\n', start=False)
        (server.root / "link").symlink_to(server.root / "state")
        self.refuses(server, "is already the file of ", directive="StateFile: ")

    def test_one_file_for_both_at_a_reload(self, keeper):
        """A reload continues; the second module keeps no file, and the first file stays intact."""
        used, held = used_and_held(keeper)
        keeper.log.expect("StateFile: .*is already the file of ")
        keeper.configure(STATE + 'SAuthStateFile "@ROOT@/state/nonces"\n' + opened("in"))
        keeper.graceful()
        assert keeper.get("/in", held).status == 200
        keeper.configure(STATE + opened("in"))
        keeper.graceful()
        again(keeper)
        for pairs in (used, held):
            replayed(keeper, pairs)

    def test_cannot_be_written(self, make_keeper):
        server = make_keeper()
        server.stop()
        (server.root / "state" / "nonces.new").mkdir()
        with pytest.raises(Unstartable, match="nonces.new"):
            server.start()
        server.log.allow("isign: ISignStateFile: |AH00020")

    def test_cannot_be_written_at_the_stop(self, keeper):
        """The remaining file is marked as incomplete."""
        pairs = used_and_held(keeper)
        (keeper.root / "state").chmod(0o777)
        keeper.log.expect(OURS + ".*must be a directory that only user.*after the next start, signatures will be refused for the duration of ISignClockSkew")
        keeper.stop()
        (keeper.root / "state").chmod(0o700)
        keeper.start()
        for one in pairs:
            starting(keeper, one)

    def test_directory_gone(self, keeper):
        stop_without_directory(keeper, OURS, "after the next start, signatures will be refused")

    @pytest.mark.parametrize("change, part", [(lambda path: path.chmod(0o644), "mode 0644"),
                                              (lambda path: path.write_bytes(bytes(31)), "32 bytes"),
                                              (lambda path: (path.unlink(), path.mkdir(mode=0o700)), "must be a regular file")])
    def test_key(self, keeper, change, part):
        keeper.stop()
        change(key_of(keeper))
        self.refuses(keeper, str(key_of(keeper)), part)
        assert state_of(keeper).exists()

    def test_two_servers(self, make_keeper, make_server):
        first = make_keeper()
        second = make_server(Site(config=STATE.replace("@ROOT@", str(first.root)) + opened("in"), participants=PEOPLE),
                             start=False)
        with pytest.raises(Unstartable, match="another"):
            second.start()
        second.log.allow("isign: ISignStateFile: |AH00020")
        used, held = used_and_held(first)
        again(first)
        replayed(first, used)
        assert first.get("/in", held).status == 200

    def test_private(self, keeper):
        used_and_held(keeper)
        keeper.stop()
        assert sorted(path.name for path in (keeper.root / "state").iterdir()) == FILES
        for name in FILES:
            entry = (keeper.root / "state" / name).stat()
            assert stat.S_IMODE(entry.st_mode) == 0o600 and entry.st_uid == os.getuid()
        keeper.start()

    def test_stop_of_a_child_writes_nothing(self, keeper):
        keeper.log.allow(ENDED_BADLY)
        before = state_of(keeper).stat()
        used, _ = used_and_held(keeper)
        keeper.kill(keeper.served_by()[-1])
        after = state_of(keeper).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        replayed(keeper, used)
