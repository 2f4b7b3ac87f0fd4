"""SAuthStateFile: what survives a stop, what is lost after a crash, and files that are refused."""
import hmac
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import time

import pytest

from harness import (BASIC, Client, OTHER, OTHER_SECRET, PAGE, PEOPLE, SECRET, Shown, Site, Unstartable, UID, b64url,
                     participant, passed, refused, together)
from harness.ends import ENDED_BADLY, after_crash, again, end_uncleanly, stop_without_directory, with_state
from harness.sauth import from_b64url

STATE = 'SAuthStateFile "@ROOT@/state/grants"\n'
OURS = r"\[sauth:error\] .*sauth: SAuthStateFile: "
FILES = ["grants", "grants.key", "grants.lock"]


def state_of(server):
    return server.root / "state" / "grants"


def key_of(server):
    return server.root / "state" / "grants.key"


def asides(server):
    return sorted(path.name for path in (server.root / "state").iterdir() if ".aside-" in path.name)


@pytest.fixture
def make_keeper(make_server):
    """A factory of servers that keep their state."""
    def make(config="", start=True, **options):
        return with_state(make_server, Site(config=STATE + config + BASIC, **options), start)
    return make


@pytest.fixture
def keeper(make_keeper):
    return make_keeper()


def one_second_later(server):
    """The timestamp of an access request that the server accepts now, but would not if it had started a second later."""
    stamp = Client(server).stamp()
    server.clock.reach(server.listening_at + 2)
    return stamp


def forget(server, client):
    """Asserts that the server does not know a client's grant, but serves requests."""
    refused(server, server.get(PAGE, {"Authorization": client.header("A" * 22)}), 401, "invalid_credentials",
            "token_unknown")
    passed(Client(server).granted().get(PAGE))


class TestCleanStop:
    def test_grants_and_nonces_survive(self, keeper):
        client = Client(keeper).granted(nonces=8)
        fresh, held = client.generate(), client.header()
        used = [client.header(), client.header(client.generate())]
        for value in used:
            client.take(passed(keeper.get(PAGE, {"Authorization": value})))
        again(keeper)
        for value in used:
            refused(keeper, keeper.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")
        passed(keeper.get(PAGE, {"Authorization": held}))
        passed(client.get(PAGE, nonce=fresh))
        while client.nonces[2:]:
            passed(keeper.get(PAGE, {"Authorization": client.header()}))
        again(keeper)
        refused(keeper, keeper.get(PAGE, {"Authorization": held}), 401, "replayed_nonce", "nonce_replayed")
        newest = passed(client.get(PAGE)).nextnonce
        passed(keeper.get(PAGE, {"Authorization": client.bare(newest)}))
        assert client.refresh().status == 200
        passed(client.get(PAGE))

    def test_says_so(self, keeper):
        for _ in range(3):
            Client(keeper).granted()
        again(keeper)
        line = keeper.log.wait(r"\[sauth:notice\] .*a clean stop")[-1]
        assert "3 grants and 3 used access requests" in line and str(state_of(keeper)) in line

    def test_access_requests_stay_used(self, keeper):
        client = Client(keeper)
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        again(keeper)
        refused(keeper, client.submit("request_access", form), 401, "replayed_request", "access_replayed")

    def test_no_second_warm_up(self, keeper):
        """After a clean stop, a proof from before the start is checked, not refused."""
        stamp = one_second_later(keeper)
        again(keeper)
        assert Client(keeper).ask(timestamp=stamp).status == 200

    def test_many_stops(self, keeper):
        client = Client(keeper).granted(nonces=2)
        for _ in range(5):
            again(keeper)
            passed(client.get(PAGE))
        keeper.restart()
        again(keeper)
        passed(client.get(PAGE))

    def test_graceful_stop(self, keeper):
        """graceful-stop: requests in progress end first, and are in the file."""
        client = Client(keeper).granted(nonces=2)
        responses = []
        value = client.header()

        def end():
            deadline = time.monotonic() + 10
            while "/cgi-bin/orders GET" not in keeper.journal() and time.monotonic() < deadline:
                time.sleep(0.01)
            keeper.process.send_signal(signal.SIGWINCH)
        together([lambda: responses.append(keeper.get("/cgi-bin/orders?sleep=1", {"Authorization": value})) or 0,
                  lambda: end() or 0])
        passed(responses[0])
        keeper.process.wait(20)
        keeper.process = None
        keeper.start()
        refused(keeper, keeper.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")
        passed(client.get(PAGE, nonce=responses[0].nextnonce))

    def test_a_thousand_grants(self, make_keeper):
        server = make_keeper("".join(f"SAuth{what} 5000\n" for what in ("GrantCapacity", "GrantQuota", "ReplayCapacity",
                                                                       "ReplayQuota")))
        clients = [Client(server).granted() for _ in range(1000)]
        again(server)
        assert "1000 grants and 1000 used" in server.log.wait("a clean stop")[-1]
        for client in clients[::50]:
            passed(client.get(PAGE))

    def test_expired_grants_are_not_kept(self, make_keeper):
        server = make_keeper("SAuthRefreshWindow 0\n")
        Client(server).granted(token_lifespan=1)
        kept = Client(server).granted()
        server.clock.advance(2.2)
        again(server)
        assert re.search(r" 1 grants and ", server.log.wait("a clean stop")[-1])
        passed(kept.get(PAGE))

    @pytest.mark.parametrize("mpm", ["prefork", "worker"])
    def test_other_mpms(self, make_keeper, mpm):
        server = make_keeper(mpm=mpm)
        client = Client(server).granted(nonces=2)
        used = client.header()
        passed(server.get(PAGE, {"Authorization": used}))
        again(server)
        refused(server, server.get(PAGE, {"Authorization": used}), 401, "replayed_nonce", "nonce_replayed")
        passed(client.get(PAGE))


class TestUncleanEnd:
    def test_saved_grants_survive(self, keeper):
        """Nonces do not survive a crash: the file may be older than the last one used."""
        client = Client(keeper).granted(nonces=4)
        fresh, used = client.generate(), client.header()
        keeper.graceful()
        passed(keeper.get(PAGE, {"Authorization": used}))
        after_crash(keeper)
        assert " 1 grants and 0 used" in keeper.log.wait("an unclean stop")[-1]
        for value in [used, client.header(fresh)] + [client.header(nonce) for nonce in client.nonces]:
            response = keeper.get(PAGE, {"Authorization": value})
            refused(keeper, response, 401, "stale_nonce", "nonce_foreign", level="info")
            passed(client.get(PAGE, nonce=response.challenge["nonce"]))
        client.nonces = [keeper.get(PAGE).challenge["nonce"]]
        keeper.log.allow("reason=credentials_missing")
        passed(client.get(PAGE))
        assert client.refresh().status == 200
        passed(client.get(PAGE))

    def test_bare_form_recovers(self, keeper):
        client = Client(keeper).granted()
        keeper.graceful()
        after_crash(keeper)
        response = keeper.get(PAGE, {"Authorization": client.bare(client.nonces[0])})
        refused(keeper, response, 401, "invalid_credentials", "bare_unmatched", level="info")
        passed(keeper.get(PAGE, {"Authorization": client.bare(response.challenge["nonce"])}))

    def test_unsaved_grants_are_lost(self, keeper):
        saved = Client(keeper).granted()
        keeper.graceful()
        unsaved = Client(keeper).granted()
        after_crash(keeper)
        forget(keeper, unsaved)
        response = saved.get(PAGE)
        refused(keeper, response, 401, "stale_nonce", "nonce_foreign", level="info")
        passed(saved.get(PAGE))

    def test_starting_window(self, keeper):
        client = Client(keeper)
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        stamp = one_second_later(keeper)
        keeper.graceful()
        after_crash(keeper)
        refused(keeper, client.submit("request_access", form), 503, "starting", "replay_cache_warming", level="info")
        refused(keeper, client.ask(timestamp=stamp), 503, "starting", "replay_cache_warming", level="info")
        passed(client.granted().get(PAGE))

    def test_marked_before_it_serves(self, keeper):
        """A clean file is valid for one start only: it does not have what is used afterwards."""
        client = Client(keeper).granted(nonces=4)
        again(keeper)
        used = client.header()
        passed(keeper.get(PAGE, {"Authorization": used}))
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        keeper.clock.reach(keeper.listening_at + 2)
        after_crash(keeper)
        assert " 1 grants and 0 used" in keeper.log.wait("an unclean stop")[-1]
        response = keeper.get(PAGE, {"Authorization": used})
        refused(keeper, response, 401, "stale_nonce", "nonce_foreign", level="info")
        refused(keeper, client.submit("request_access", form), 503, "starting", "replay_cache_warming", level="info")

    def test_twice(self, keeper):
        """Grants survive several crashes, and a clean stop after them."""
        client = Client(keeper).granted()
        keeper.graceful()
        for _ in range(3):
            after_crash(keeper)
            refused(keeper, client.get(PAGE), 401, "stale_nonce", "nonce_foreign", level="info")
            passed(client.get(PAGE))
        again(keeper)
        passed(client.get(PAGE))

    def test_refresh_counts(self, keeper):
        """A saved refresh is kept."""
        client = Client(keeper).granted(token_lifespan=2)
        assert client.refresh(token_lifespan=3600).status == 200
        keeper.graceful()
        after_crash(keeper)
        keeper.clock.advance(2.2)
        refused(keeper, client.get(PAGE), 401, "stale_nonce", "nonce_foreign", level="info")
        passed(client.get(PAGE))

    def test_saved_every_half_minute(self, keeper):
        """The parent checks every ten seconds whether it is time."""
        client = Client(keeper).granted()
        path = state_of(keeper)
        before = path.stat().st_ino
        keeper.clock.advance(30)
        deadline = time.monotonic() + 20
        while path.stat().st_ino == before:
            assert time.monotonic() < deadline, "nothing was saved"
            time.sleep(0.01)
        after_crash(keeper)
        refused(keeper, client.get(PAGE), 401, "stale_nonce", "nonce_foreign", level="info")
        passed(client.get(PAGE))


def resign(server, data):
    """The bytes of a state file under this server's own key."""
    return data + hmac.digest(key_of(server).read_bytes(), data, "sha256")


def flipped(data, at):
    data = bytearray(data)
    data[at] ^= 0x10
    return bytes(data)


DAMAGE = {
    "first byte": (lambda data: flipped(data, 0), "damaged"),
    "flags": (lambda data: flipped(data, 18), "damaged"),
    "head": (lambda data: flipped(data, 40), "damaged"),
    "middle": (lambda data: flipped(data, len(data) // 2), "damaged"),
    "before the MAC": (lambda data: flipped(data, -33), "damaged"),
    "in the MAC": (lambda data: flipped(data, -1), "damaged"),
    "a byte missing": (lambda data: data[:-1], "damaged"),
    "half of it": (lambda data: data[:len(data) // 2], "damaged"),
    "31 bytes": (lambda data: data[:31], "truncated"),
    "32 zeros": (lambda data: bytes(32), "damaged"),
    "empty": (lambda data: b"", "truncated"),
    "a byte more": (lambda data: data + b"\0", "damaged"),
    "twice": (lambda data: data * 2, "damaged"),
    "text": (lambda data: b"no state at all, but a text of some length\n" * 9, "damaged"),
}


class TestDamaged:
    """An invalid file is set aside, and the server starts without it."""

    def ends_without(self, server, reason, client):
        """Starts with the current files."""
        server.start()
        line = server.log.wait(OURS)[-1]
        server.log.expect(OURS)
        assert str(state_of(server)) in line and re.search(reason, line), line
        assert len(asides(server)) == 1 and asides(server)[0] in line
        forget(server, client)
        kept = Client(server).granted()
        again(server)
        passed(kept.get(PAGE))

    def stopped(self, server):
        client = Client(server).granted()
        server.stop()
        return client

    @pytest.mark.parametrize("kind", DAMAGE)
    def test_bytes(self, keeper, kind):
        client = self.stopped(keeper)
        change, reason = DAMAGE[kind]
        damaged = change(state_of(keeper).read_bytes())
        state_of(keeper).write_bytes(damaged)
        self.ends_without(keeper, reason, client)
        assert (keeper.root / "state" / asides(keeper)[0]).read_bytes() == damaged

    def test_other_key(self, keeper):
        client = self.stopped(keeper)
        key_of(keeper).write_bytes(os.urandom(32))
        self.ends_without(keeper, "another key", client)

    def test_no_key(self, keeper):
        """A missing key is created again; the old file then has another server's key."""
        client = self.stopped(keeper)
        key_of(keeper).unlink()
        self.ends_without(keeper, "another key", client)
        assert stat.S_IMODE(key_of(keeper).stat().st_mode) == 0o600

    def test_file_of_another_server(self, keeper, make_keeper):
        client, there = self.stopped(keeper), make_keeper()
        Client(there).granted()
        there.stop()
        shutil.copyfile(state_of(there), state_of(keeper))
        there.start()
        self.ends_without(keeper, "another key", client)

    def test_other_version(self, keeper):
        client = self.stopped(keeper)
        data = state_of(keeper).read_bytes()[:-32]
        state_of(keeper).write_bytes(resign(keeper, re.sub(rb"^interauth state .", b"interauth state ?", data)))
        self.ends_without(keeper, "version", client)

    @pytest.mark.parametrize("name, change, reason", [
        ("grants", lambda path: path.chmod(0o644), "mode 0644"), ("grants", lambda path: path.write_bytes(b"x"), "truncated"),
        ("grants.key", lambda path: path.unlink(), "but its key")], ids=["mode", "short", "no key"])
    def test_announced(self, keeper, name, change, reason):
        """`httpd -t` reports a file that a start would set aside, so that it can be repaired."""
        assert keeper.check() == (True, "Syntax OK\n")
        keeper.stop()
        assert keeper.check() == (True, "Syntax OK\n")
        change(keeper.root / "state" / name)
        accepted, said = keeper.check()
        assert accepted and re.search(r"sauth: SAuthStateFile: .*" + reason + ".*; the next start will set it aside, and all grants are lost", said), said

    @pytest.mark.parametrize("mode", [0o644, 0o660, 0o602, 0o666, 0o640], ids=oct)
    def test_mode(self, keeper, mode):
        client = self.stopped(keeper)
        state_of(keeper).chmod(mode)
        self.ends_without(keeper, f"has mode {mode:04o};", client)

    def test_owner(self, keeper):
        if os.getuid() != 0:
            pytest.skip("only root can give a file away")
        client = self.stopped(keeper)
        os.chown(state_of(keeper), 65534, -1)
        self.ends_without(keeper, "user 65534", client)

    def test_symlink(self, keeper):
        client = self.stopped(keeper)
        real = keeper.root / "state" / "real"
        state_of(keeper).rename(real)
        state_of(keeper).symlink_to(real)
        before = real.read_bytes()
        self.ends_without(keeper, "cannot be opened", client)
        assert real.read_bytes() == before

    @pytest.mark.parametrize("kind", ["directory", "fifo"])
    def test_no_file(self, keeper, kind):
        client = self.stopped(keeper)
        state_of(keeper).unlink()
        state_of(keeper).mkdir(mode=0o700) if kind == "directory" else os.mkfifo(state_of(keeper), 0o600)
        self.ends_without(keeper, "must be a regular file", client)

    def test_removed(self, keeper):
        """A missing file is not an error, as at the first start."""
        client = self.stopped(keeper)
        state_of(keeper).unlink()
        keeper.start()
        forget(keeper, client)

    def test_cut_off_writing(self, keeper):
        """A partly written file that a power failure left does not matter."""
        client = self.stopped(keeper)
        elsewhere = keeper.root / "elsewhere"
        elsewhere.write_text("not ours")
        for leave in (lambda path: path.write_bytes(b"half"), lambda path: path.symlink_to(elsewhere)):
            leave(keeper.root / "state" / "grants.new")
            keeper.start()
            passed(client.get(PAGE))
            keeper.stop()
        assert elsewhere.read_text() == "not ours"
        assert sorted(path.name for path in (keeper.root / "state").iterdir()) == FILES


class TestUnsafe:
    """The server does not start if other users could replace the files."""

    def refuses(self, server, *parts):
        accepted, said = server.check()
        assert not accepted and "sauth: SAuthStateFile: " in said and all(part in said for part in parts), said
        with pytest.raises(Unstartable) as error:
            server.start()
        said = [line for line in str(error.value).splitlines() if "sauth: SAuthStateFile: " in line]
        assert said and all(part in said[-1] for part in parts), str(error.value)
        server.log.allow("sauth: SAuthStateFile: |AH00020")

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o755, 0o702, 0o1777], ids=oct)
    def test_directory_others_write(self, make_keeper, mode):
        server = make_keeper(start=False)
        (server.root / "state").chmod(mode)
        self.refuses(server, str(server.root / "state"), "must be a directory that only user")
        (server.root / "state").chmod(0o700)
        server.start()
        passed(Client(server).granted().get(PAGE))

    def test_directory_of_another(self, make_keeper):
        if os.getuid() != 0:
            pytest.skip("only root can give a directory away")
        server = make_keeper(start=False)
        os.chown(server.root / "state", 65534, -1)
        self.refuses(server, str(server.root / "state"), "user 0")

    def test_no_directory(self, make_keeper):
        server = make_keeper(start=False)
        (server.root / "state").rmdir()
        self.refuses(server, str(server.root / "state"), "No such file")
        (server.root / "state").write_text("")
        self.refuses(server, str(server.root / "state"), "directory")

    @pytest.mark.parametrize("size", [0, 31, 33])
    def test_key_size(self, keeper, size):
        keeper.stop()
        key_of(keeper).write_bytes(bytes(size))
        self.refuses(keeper, str(key_of(keeper)), "32 bytes")
        assert state_of(keeper).exists() and not asides(keeper)

    @pytest.mark.parametrize("mode", [0o644, 0o660, 0o604], ids=oct)
    def test_key_mode(self, keeper, mode):
        keeper.stop()
        key_of(keeper).chmod(mode)
        self.refuses(keeper, str(key_of(keeper)), f"has mode {mode:04o};")

    @pytest.mark.parametrize("kind", ["symlink", "fifo", "directory"])
    def test_key_kind(self, keeper, kind):
        keeper.stop()
        real = keeper.root / "state" / "real"
        key_of(keeper).rename(real)
        if kind == "symlink":
            key_of(keeper).symlink_to(real)
        elif kind == "fifo":
            os.mkfifo(key_of(keeper), 0o600)
        else:
            key_of(keeper).mkdir(mode=0o700)
        self.refuses(keeper, str(key_of(keeper)))

    def test_at_reload(self, keeper):
        """A reload logs the error and continues with the tables in memory."""
        client = Client(keeper).granted(nonces=4)
        (keeper.root / "state").chmod(0o777)
        before = state_of(keeper).read_bytes()
        keeper.log.expect(OURS + ".*must be a directory that only user")
        keeper.graceful()
        passed(client.get(PAGE))
        assert state_of(keeper).read_bytes() == before
        (keeper.root / "state").chmod(0o700)
        keeper.graceful()
        again(keeper)
        passed(client.get(PAGE))


    def test_directory_gone(self, keeper):
        stop_without_directory(keeper, OURS, "current grants will be lost")


class TestFullDisk:
    def test_old_file_stays(self, make_keeper):
        server = make_keeper(start=False)
        disk = server.root / "state"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(disk)],
                              capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
        try:
            self.course(server, disk)
        finally:
            server.stop()
            subprocess.run(["umount", str(disk)], check=True)

    def course(self, server, disk):
        server.start()
        saved, lost = Client(server).granted(), Client(server)
        server.graceful()
        before = state_of(server).read_bytes()
        full = disk / "full"
        with open(full, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        lost.granted()
        server.log.expect(OURS + ".*No space left on device")
        server.graceful()
        passed(lost.get(PAGE))
        assert state_of(server).read_bytes() == before
        assert sorted(path.name for path in disk.iterdir()) == ["full", *FILES]
        server.log.allow(ENDED_BADLY)
        end_uncleanly(server)
        full.unlink()
        server.start()
        refused(server, saved.get(PAGE), 401, "stale_nonce", "nonce_foreign", level="info")
        passed(saved.get(PAGE))
        forget(server, lost)
        again(server)
        passed(saved.get(PAGE))

    def test_nothing_can_be_written_at_start(self, make_keeper):
        """Otherwise the server would use nonces that it cannot save, while the file still claims to be complete."""
        server = make_keeper()
        server.stop()
        (server.root / "state" / "grants.new").mkdir()
        with pytest.raises(Unstartable, match="grants.new"):
            server.start()
        server.log.allow("sauth: SAuthStateFile: |AH00020")


# --- what is in the file --------------------------------------------------------------------------------------------

def compress(words, block):
    """One step of SHA-256 (FIPS 180-4), because hashlib cannot start from a state."""
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        a, b = w[i - 15], w[i - 2]
        w.append((w[i - 16] + w[i - 7] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + (ror(b, 17) ^ ror(b, 19) ^ b >> 10)) & MASK)
    a, b, c, d, e, f, g, h = words
    for i in range(64):
        one = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + (e & f ^ ~e & g) + K256[i] + w[i]
        two = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (one + two) & MASK, a, b, c, (d + one) & MASK, e, f, g
    return [(old + new) & MASK for old, new in zip(words, (a, b, c, d, e, f, g, h))]


MASK = 0xffffffff


def ror(word, by):
    return (word >> by | word << 32 - by) & MASK


def roots(power, count=64):
    """The first 32 bits of the fractions of roots of the first primes."""
    primes = [n for n in range(2, 320) if all(n % m for m in range(2, n))][:count]
    found = []
    for prime in primes:
        low, high = 0, prime << 40
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle ** power <= prime << 32 * power else (low, middle)
        found.append(low & MASK)
    return found


K256 = roots(3)


def last_block(data):
    """Data behind a first block of 64 bytes, padded."""
    return data + b"\x80" + bytes(55 - len(data)) + struct.pack(">Q", 8 * (64 + len(data)))


def makes(inner, outer, nonce):
    """Whether these two states together are the key that made a fresh nonce."""
    digest = compress(inner, last_block(nonce[:8]))
    whole = compress(outer, last_block(struct.pack(">8I", *digest)))
    return struct.pack(">8I", *whole)[:8] == nonce[8:]


def holds_nonce_key(data, nonce):
    """Whether the nonce key occurs in some bytes, as HMAC states or as raw bytes."""
    for at in range(len(data) - 63):
        for order in "<>":
            words = struct.unpack_from(order + "16I", data, at)
            if makes(words[:8], words[8:], nonce):
                return True
        if hmac.digest(data[at:at + 32], nonce[:8], "sha256")[:8] == nonce[8:]:
            return True
    return False


class TestContents:
    def test_harness_knows_the_states(self):
        """The search below finds a key that exists: the tests can fail."""
        first = roots(2, 8)
        assert first[0] == 0x6a09e667 and K256[0] == 0x428a2f98
        key, body = bytes(range(32)), b"12345678"
        states = [compress(first, bytes(byte ^ pad for byte in key.ljust(64, b"\0"))) for pad in (0x36, 0x5c)]
        nonce = body + hmac.digest(key, body, "sha256")[:8]
        assert makes(*states, nonce)
        assert holds_nonce_key(b"xyz" + struct.pack("<16I", *states[0], *states[1]) + b"x" * 9, nonce)
        assert holds_nonce_key(b"xyz" + key + b"x" * 99, nonce)
        assert not holds_nonce_key(bytes(200), nonce)

    def test_no_secret(self, keeper):
        client = Client(keeper).granted(nonces=2)
        fresh = from_b64url(client.generate())
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        keeper.graceful()
        dirty = state_of(keeper).read_bytes()
        keeper.stop()
        clean = state_of(keeper).read_bytes()
        secrets = [client.token.encode(), from_b64url(client.token), SECRET, b64url(SECRET).encode(), SECRET.hex().encode(),
                   key_of(keeper).read_bytes(), *(from_b64url(nonce) for nonce in client.nonces)]
        for data in (dirty, clean):
            assert UID.encode() in data and b"read" in data
            assert not [secret for secret in secrets if secret in data]
            assert not holds_nonce_key(data, fresh)
        keeper.start()
        passed(client.get(PAGE, nonce=b64url(fresh)))

    def test_private(self, keeper):
        names = sorted(path.name for path in (keeper.root / "state").iterdir())
        assert names == FILES
        for path in (state_of(keeper), key_of(keeper)):
            entry = path.stat()
            assert stat.S_IMODE(entry.st_mode) == 0o600 and entry.st_uid == os.getuid()
        key = key_of(keeper).read_bytes()
        again(keeper)
        assert key_of(keeper).read_bytes() == key and len(key) == 32


# --- a world that changed meanwhile -----------------------------------------------------------------------------------

class TestMeanwhile:
    def test_participant_removed(self, make_keeper):
        server = make_keeper(participants=PEOPLE)
        client, other = Client(server).granted(), Client(server, OTHER, OTHER_SECRET).granted()
        server.stop()
        server.participants(PEOPLE[1:])
        server.start()
        assert re.search(r" 1 grants .*; dropped 1 grants", server.log.wait("a clean stop")[-1])
        passed(other.get(PAGE))
        refused(server, server.get(PAGE, {"Authorization": client.header()}), 401, "invalid_credentials", "token_unknown")
        server.participants(PEOPLE)  # back, as another one of the same name
        for come_back in (server.graceful, lambda: again(server)):
            come_back()
            refused(server, server.get(PAGE, {"Authorization": client.header("A" * 22)}), 401, "invalid_credentials",
                    "token_unknown")
        passed(other.get(PAGE))
        passed(client.granted().get(PAGE))

    def test_used_access_request_of_a_removed_participant(self, make_keeper):
        """It stays recorded, in case the same participant is added again in time."""
        server = make_keeper(participants=PEOPLE)
        client = Client(server)
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        server.stop()
        server.participants(PEOPLE[1:])
        server.start()
        server.participants(PEOPLE)
        again(server)
        refused(server, client.submit("request_access", form), 401, "replayed_request", "access_replayed")

    def test_order_of_participants(self, make_keeper):
        server = make_keeper(participants=PEOPLE)
        client, other = Client(server).granted(), Client(server, OTHER, OTHER_SECRET).granted()
        server.stop()
        server.participants([participant("first", ["read"], b"a third secret of 24 byte"), *reversed(PEOPLE)])
        server.start()
        for one in (client, other):
            response = passed(one.get("/cgi-bin/orders"))
            assert Shown(response).env["SAUTH_PARTICIPANT"] == one.uid

    def test_secret_changed(self, make_keeper):
        """A grant ends with the secret with which it was minted, also if that is changed during a stop."""
        server = make_keeper()
        client = Client(server).granted()
        server.stop()
        server.participants([participant(secret=OTHER_SECRET)])
        server.start()
        client.secret = OTHER_SECRET
        refused(server, client.get(PAGE), 401, "token_revoked", "secret_rotated")

    def test_capabilities_renumbered(self, make_keeper):
        """The file has the names of capabilities, not their numbers."""
        people = [participant(UID, ["read", "update", "delete"]), participant(OTHER, ["read"], OTHER_SECRET)]
        server = make_keeper(participants=people)
        client, both = Client(server).granted("read"), Client(server).granted("read", "delete")
        server.stop()
        server.participants([participant(OTHER, ["admin", "delete", "x", "read"], OTHER_SECRET),
                             participant(UID, ["update", "admin", "delete", "read"])])
        server.start()
        for end in (lambda: None, lambda: again(server)):
            end()
            assert Shown(passed(client.get("/cgi-bin/orders"))).env["SAUTH_CAPABILITIES"] == "read"
            seen = Shown(passed(both.get("/cgi-bin/orders"))).env["SAUTH_CAPABILITIES"]
            assert sorted(seen.split()) == ["delete", "read"]

    def test_capability_gone(self, make_keeper):
        """A capability that no participant has any more is in no grant, and its number is not reused."""
        server = make_keeper(participants=[participant(UID, ["update", "read"])])
        client = Client(server).granted("update", "read")
        server.stop()
        server.participants([participant(UID, ["admin", "read"])])
        server.start()
        assert Shown(passed(client.get("/cgi-bin/orders"))).env["SAUTH_CAPABILITIES"] == "read"

    def test_smaller_capacity(self, make_keeper):
        """Grants that do not fit are dropped, with a log line; the others are valid."""
        config = "SAuthGrantQuota 100\nSAuthReplayQuota 100\n"
        server = make_keeper("SAuthGrantCapacity 20\nSAuthReplayCapacity 20\n" + config)
        clients = [Client(server).granted() for _ in range(12)]
        server.stop()
        server.configure(STATE + "SAuthGrantCapacity 8\nSAuthReplayCapacity 20\n" + config + BASIC)
        server.start()
        line = server.log.wait("a clean stop")[-1]
        assert " 8 grants and 12 used" in line and "dropped 4 grants" in line
        server.log.allow("reason=token_unknown")
        statuses = [server.get(PAGE, {"Authorization": client.header()}).status for client in clients]
        assert sorted(statuses) == [200] * 8 + [401] * 4

    def test_used_access_requests_that_do_not_fit(self, make_keeper):
        """If some used access requests are lost, the warm-up begins at the start."""
        server = make_keeper("SAuthReplayCapacity 20\nSAuthReplayQuota 20\n")
        client = Client(server)
        forms = [client.form(client.body()) for _ in range(6)]
        for form in forms:
            assert client.submit("request_access", form).status == 200
        one_second_later(server)
        server.stop()
        server.configure(STATE + "SAuthReplayCapacity 3\nSAuthReplayQuota 3\n" + BASIC)
        server.start()
        for form in forms:
            refused(server, client.submit("request_access", form), 503, "starting", "replay_cache_warming", level="info")

    def test_directive_removed_and_back(self, keeper):
        """Nothing is saved without the directive: nonces that are unused in the file may have been used."""
        client = Client(keeper).granted(nonces=2)
        used = client.header()
        keeper.stop()
        keeper.configure(BASIC)
        keeper.start()
        keeper.stop()
        keeper.configure(STATE + BASIC)
        keeper.start()
        passed(keeper.get(PAGE, {"Authorization": used}))
        refused(keeper, keeper.get(PAGE, {"Authorization": used}), 401, "replayed_nonce", "nonce_replayed")

    def test_directive_added_at_reload(self, make_keeper):
        server = make_keeper(start=False)
        server.configure(BASIC)
        server.start()
        client = Client(server).granted(nonces=2)
        server.configure(STATE + BASIC)
        server.graceful()
        assert state_of(server).exists()
        again(server)
        passed(client.get(PAGE))

    def test_directive_removed_at_reload(self, keeper):
        """The file is marked as incomplete: nonces that are used afterwards must not become valid again."""
        client = Client(keeper).granted(nonces=2)
        keeper.configure(BASIC)
        keeper.graceful()
        used = client.header()
        passed(keeper.get(PAGE, {"Authorization": used}))
        keeper.stop()
        keeper.configure(STATE + BASIC)
        keeper.start()
        response = keeper.get(PAGE, {"Authorization": used})
        assert response.status == 401
        keeper.log.expect("reason=(nonce_foreign|token_unknown)")


class TestTwoServers:
    """A file can be used by one server only."""

    def test_no_crash(self, make_keeper, make_server):
        first = make_keeper()
        second = make_server(Site(config=STATE.replace("@ROOT@", str(first.root)) + BASIC), start=False)
        for server in (first, second):
            server.log.allow("sauth: SAuthStateFile: |AH00020")
        with pytest.raises(Unstartable, match="another"):
            second.start()
        client = Client(first).granted(nonces=4)
        first.graceful()
        passed(client.get(PAGE))
        again(first)
        passed(client.get(PAGE))
        first.stop()
        second.start()
        passed(client_of(second, client).get(PAGE))
        second.stop()
        first.start()
        passed(client.get(PAGE))


def client_of(server, client):
    """The same client, at another server that has the state file."""
    other = Client(server)
    other.token, other.nonces = client.token, [client.nonces.pop()]
    return other
