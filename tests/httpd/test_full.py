"""Full tables and quotas: what does not fit is refused and logged, other requests are served, and entries are reused."""
import json
import os
import re
import threading
import time
from urllib.parse import urlencode


from harness import (BASIC, Client, OTHER, OTHER_SECRET, PAGE, SECRET, Site, b64url, participant, passed, refused)
from harness.sauth import FORM, hexmac
from harness.site import write_secret

LONG = os.environ.get("INTERAUTH_LONG") == "1"
STATUS = '<Location "/server-status">\nSetHandler server-status\nRequire all granted\n</Location>\n'
PEOPLE = [participant(), participant(OTHER, ["read"], OTHER_SECRET)]


def room(grants, grant_quota, replays, replay_quota):
    return (f"SAuthGrantCapacity {grants}\nSAuthGrantQuota {grant_quota}\nSAuthReplayCapacity {replays}\n"
            f"SAuthReplayQuota {replay_quota}\n{STATUS}")


def numbers(server):
    """Grants and used access requests as mod_status counts them."""
    response = server.get("/server-status?auto")
    found = {name: int(value) for name, value in re.findall(r"^(SAuth\w+|Registry\w+): (\d+)$", response.text, re.M)}
    page = re.search(r"<p>(\d+) of (\d+) grants; (\d+) of (\d+) used", server.get("/server-status").text)
    shown = [found[name] for name in ("SAuthGrants", "SAuthGrantCapacity", "SAuthReplays", "SAuthReplayCapacity")]
    assert shown == [int(number) for number in page.groups()]
    return shown


def eventually(call, timeout=20):
    """The first response of 200. Until then, all must be refusals because a table is full."""
    deadline = time.monotonic() + timeout
    while True:
        response = call()
        if response.status == 200:
            return response
        assert response.status in (429, 503) and response.problem["code"] != "starting", repr(response)
        assert time.monotonic() < deadline, repr(response)
        time.sleep(0.3)


class TestGrants:
    site = Site(modules=("status",), participants=PEOPLE,
                config="SAuthRefreshWindow 1\n" + room(12, 8, 1000, 900) + BASIC)

    def test_quota_capacity_and_reuse(self, server):
        assert numbers(server) == [0, 12, 0, 1000]
        clients = [Client(server).granted(token_lifespan=6) for _ in range(8)]
        for _ in range(3):
            response = Client(server).ask()
            refused(server, response, 429, "too_many_grants", "grant_quota")
        assert numbers(server)[0] == 8
        others = [Client(server, OTHER, OTHER_SECRET).granted() for _ in range(4)]
        assert numbers(server)[0] == 12
        response = Client(server, OTHER, OTHER_SECRET).ask()
        refused(server, response, 503, "unavailable", "grants_full", level="error")
        server.log.allow("reason=(grant_quota|grants_full|grant_expired|token_unknown)")
        for other in others:  # a full table costs nobody a grant
            passed(other.get(PAGE))
            assert other.refresh().status == 200
        eventually(lambda: Client(server).ask())
        eventually(lambda: Client(server, OTHER, OTHER_SECRET).ask())
        assert clients[0].get(PAGE, nonce="A" * 22).status == 401
        for other in others:
            passed(other.get(PAGE))
        assert numbers(server)[0] <= 12

    def test_reload_keeps_the_count(self, server):
        before = numbers(server)
        server.graceful()
        assert numbers(server) == before


class TestReplays:
    """Used access requests: with a skew of one second their entries are soon free again."""

    site = Site(modules=("status",), participants=PEOPLE, skew=1, config=room(1000, 900, 12, 8) + BASIC)

    def test_quota_capacity_and_reuse(self, server):
        other = Client(server, OTHER, OTHER_SECRET)
        Client(server).stamp()
        while True:  # one burst within the second before the first entries are over
            burst = [Client(server).ask() for _ in range(8)]
            last = Client(server).ask()
            if [response.status for response in burst] == [200] * 8 and last.status == 429:
                break
            assert server.clock.time() - server.listening_at < 60, last
        refused(server, last, 429, "too_many_requests", "replay_quota")
        other.granted()
        passed(other.get(PAGE))
        server.log.allow("reason=(replay_quota|replays_full)")
        eventually(lambda: Client(server).ask())
        statuses = [Client(server, OTHER, OTHER_SECRET).ask().status for _ in range(3)]
        assert 200 in statuses

    def test_full(self, make_server):
        server = make_server(Site(modules=("status",), participants=PEOPLE, config=room(1000, 900, 12, 8) + BASIC))
        clients = [Client(server).granted() for _ in range(8)]
        refused(server, Client(server).ask(), 429, "too_many_requests", "replay_quota")
        refused(server, clients[0].refresh(), 429, "too_many_requests", "replay_quota")
        other = Client(server, OTHER, OTHER_SECRET)
        for _ in range(4):
            other.granted()
        assert numbers(server) == [12, 1000, 12, 12]
        response = other.ask()
        refused(server, response, 503, "unavailable", "replays_full", level="error")
        for client in [*clients, other]:  # who has a grant is served
            passed(client.get(PAGE))
        server.graceful()
        assert numbers(server) == [12, 1000, 12, 12]
        server.log.allow("reason=replays_full")
        assert other.ask().status == 503


class TestUnfilled:
    """Refusals before authentication fill no table, refusals by policy no grants."""

    site = Site(modules=("status",), participants=PEOPLE, config=room(12, 8, 12, 8) + BASIC)

    def test_unauthenticated_clients(self, server):
        server.log.allow("reason=(mac_mismatch|participant_unknown|json_malformed|timestamp_stale)")
        for _ in range(20):
            assert Client(server, secret=b"not the secret!!").ask().status == 401
            assert Client(server, "nobody").ask().status == 401
            assert Client(server).ask(timestamp=1300000000).status == 401
        assert numbers(server) == [0, 12, 0, 12]

    def test_refused_by_policy(self, server):
        for _ in range(5):
            response = Client(server, OTHER, OTHER_SECRET).ask(access_for=["update"])
            refused(server, response, 403, "capability_not_held", "capability_not_held")
        assert numbers(server) == [0, 12, 5, 12]


class TestLog:
    """A fault in every request is logged once in ten seconds by each process, with the number of suppressed lines."""

    site = Site(participants=PEOPLE, config=room(2, 2, 5000, 5000) + BASIC, modules=("status",))

    def test_full_table(self, server):
        for _ in range(2):
            Client(server).granted()
        server.log.expect("reason=grants_full")
        began, asked = time.monotonic(), 0
        while asked < 100 or time.monotonic() - began < 2:
            response = Client(server, OTHER, OTHER_SECRET).ask()
            assert response.status == 503 and response.problem["code"] == "unavailable", repr(response)
            assert re.fullmatch("[1-9][0-9]*", response.header("Retry-After"))
            asked += 1
            time.sleep(0.01)  # the table of used proofs is for another test
        spans = int((time.monotonic() - began) / 10) + 1
        lines = server.log.wait("reason=grants_full")
        processes = {re.search(r"\[pid (\d+)", line).group(1) for line in lines}
        assert len(lines) <= spans * len(processes) and len(processes) <= 3
        server.clock.advance(10.5)
        deadline = time.monotonic() + 20
        while not server.log.matching("reason=grants_full.* suppressed="):
            assert time.monotonic() < deadline
            assert Client(server, OTHER, OTHER_SECRET).ask().status == 503
            time.sleep(0.05)
        counts = [int(count) for count in re.findall(r"suppressed=(\d+)", "\n".join(server.log.matching("grants_full")))]
        assert 0 < sum(counts) <= asked + 2 * len(counts) + 50

    def test_all_refusals_are_logged(self, server):
        """Only faults are rate-limited: each refusal that a client causes is logged."""
        server.log.allow("reason=grant_quota")
        for count in range(1, 31):
            assert Client(server).ask().status == 429
        server.log.wait("reason=grant_quota", 30)


# --- many ------------------------------------------------------------------------------------------------------------

class Filler:
    """Access requests over few connections; keeps tokens out of the harness's lists, which are made for few."""

    def __init__(self, server, people):
        self.server, self.people = server, people
        self.stamp = str(Client(server).stamp())
        self.lock, self.grants, self.wrong = threading.Lock(), [], []

    def form(self, uid, secret, nonces):
        body = json.dumps({"access_for": ["read"], "token_lifespan": 3600, "uid": uid, "id": os.urandom(9).hex(),
                           "nonces": nonces})
        return urlencode({"uid": uid, "timestamp": self.stamp, "hmac": hexmac(secret, f"{self.stamp} {body}"),
                          "body": body}).encode()

    def work(self, count, nonces):
        with self.server.connect(60) as connection:
            for _ in range(count):
                with self.lock:
                    uid, secret = self.people.pop(0)
                    self.people.append((uid, secret))
                connection.send(self.server.message("POST", "/sauth/request_access", FORM,
                                                    self.form(uid, secret, nonces), close=False))
                response = connection.response()
                if response.status != 200:
                    self.wrong.append(repr(response))
                    return
                self.grants.append((uid, secret, response.json["token"], response.nextnonce))

    def fill(self, count, threads=4, nonces=1):
        workers = [threading.Thread(target=self.work, args=[count // threads, nonces]) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert self.wrong == []
        return self.grants


def use(server, grants):
    """One request with each grant."""
    with server.connect(60) as connection:
        for uid, secret, token, nonce in grants:
            client = Client(server, uid, secret)
            client.token = token
            connection.send(server.message("GET", PAGE, {"Authorization": client.header(nonce)}, close=False))
            passed(connection.response())


class TestManyGrants:
    keys = [(f"http://p{number}.example.org", b"secret of participant %d" % number) for number in range(20)]
    site = Site(modules=("status",), participants=[participant(uid, ["read"], secret) for uid, secret in keys],
                config=room(100000, 20000, 100000, 20000) + "MaxKeepAliveRequests 0\nLogLevel sauth:notice\n" + BASIC)

    def test_thousands(self, server):
        count = 60000 if LONG else 10000
        grants = Filler(server, list(self.keys)).fill(count)
        assert len({token for _, _, token, _ in grants}) == count
        assert numbers(server) == [count, 100000, count, 100000]
        use(server, grants[::count // 100])
        server.graceful()
        assert numbers(server) == [count, 100000, count, 100000]
        use(server, grants[1::count // 100])

    def test_state_file_of_them(self, make_server):
        """Thousands of grants survive a stop."""
        count = 60000 if LONG else 3000
        server = make_server(Site(modules=("status",), participants=self.site.participants,
                                  config='SAuthStateFile "@ROOT@/state/grants"\n' + self.site.config), start=False)
        (server.root / "state").mkdir(mode=0o700)
        server.start()
        grants = Filler(server, list(self.keys)).fill(count)
        server.stop()
        server.start()
        server.log.wait(f"{count} grants and {count} used access requests .*a clean stop")
        assert numbers(server) == [count, 100000, count, 100000]
        use(server, grants[::count // 50])


class TestManyParticipants:
    """A very large participants file."""

    def test_load(self, make_server):
        count = 1000000 if LONG else 100000
        server = make_server(Site(modules=("status",), participants=PEOPLE, config=f"RegistryCapacity {count}\n" + STATUS
                                  + BASIC), start=False)
        known = [participant(f"known{number}", ["read"], b"secret of number %d..." % number) for number in range(3)]
        value = b64url(SECRET)
        lines = [f'{{"id":"http://p{number}.example.org","status":"approved","roles":["consumer"],'
                 f'"capabilities":["read"],"shared_secret":"{value}"}}' for number in range(count - 3)]
        for place, record in ((0, known[0]), (count // 2, known[1]), (len(lines), known[2])):
            lines.insert(place, json.dumps(record))
        write_secret(server.participants_file, '{"participants":[\n' + ",\n".join(lines) + "\n]}\n")
        began = time.monotonic()
        patiently(server, server.start)
        took = time.monotonic() - began
        response = server.get("/server-status?auto").text
        assert f"RegistryParticipants: {count}\n" in response and "RegistryStale: 0\n" in response
        for number in range(3):
            client = Client(server, f"known{number}", b"secret of number %d..." % number).granted()
            passed(client.get(PAGE))
        last = Client(server, f"http://p{count - 4}.example.org").granted()
        patiently(server, server.graceful)
        passed(last.get(PAGE))
        passed(Client(server, "known1", b"secret of number 1...").granted().get(PAGE))
        assert took < (240 if LONG else 60)

    def test_one_too_many(self, make_server):
        """Too many participants are refused at a start; at a reload the previous ones stay."""
        server = make_server(Site(modules=("status",), participants=PEOPLE, config="RegistryCapacity 2\n" + STATUS + BASIC))
        client = Client(server).granted()
        server.log.expect(r"\[registry:error\]")
        server.participants([*PEOPLE, participant("third", ["read"], b"a third secret of 24 byte")])
        server.graceful()
        assert "RegistryStale: 1\n" in server.get("/server-status?auto").text
        passed(client.get(PAGE))
        passed(Client(server, OTHER, OTHER_SECRET).granted().get(PAGE))
        server.participants(PEOPLE)
        server.graceful()
        assert "RegistryStale: 0\n" in server.get("/server-status?auto").text


def patiently(server, call):
    """Runs a start or reload that may take minutes: the harness's own patience is for small files."""
    patience = server.patience
    server.patience = 300
    try:
        call()
    finally:
        server.patience = patience
