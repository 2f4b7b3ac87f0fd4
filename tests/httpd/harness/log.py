"""httpd's error log: tests must announce every line at warn or above."""
import re
import time

LINE = re.compile(r"^\[[^\]]*\] \[([^:\]]*):(\w+)\] ")
# httpd's own at reloads that follow each other closely and at a stop: mod_cgid's daemons of two generations meet on one
# socket, and one of them may find a CGI slow to end; a worker that ends still has a connection to linger on.
# mod_sauth's, because the apps of these tests answer calls with a page of their own.
NOISE = (r"\[cgid:(error|crit)\] .*(AH01238|AH01239|AH01243|AH01244|AH01260)|\[mpm_event:error\] .*AH03092|"
         r"\[sauth:warn\] .*the response is not signed: its media type is neither JSON nor XML ")

ALARMING = {"warn", "error", "crit", "alert", "emerg"}


class Log:
    def __init__(self, path):
        self.path = path
        self.seen = 0  # bytes that earlier tests have accounted for
        self.must = []
        self.may = []
        self.taken = {}  # pattern -> how many of its lines next() has given away

    def text(self, start=0):
        try:
            with open(self.path, "rb") as file:
                file.seek(start)
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def lines(self):
        """The lines since the last settle()."""
        return self.text(self.seen).splitlines()

    def matching(self, pattern):
        return [line for line in self.lines() if re.search(pattern, line)]

    def expect(self, pattern):
        """Announces a line that must appear before the test ends."""
        self.must.append(pattern)

    def allow(self, pattern):
        """Announces lines that may appear, at any level."""
        self.may.append(pattern)

    def wait(self, pattern, count=1, timeout=5.0):
        """The matching lines, once there are `count` of them."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.matching(pattern)
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, (
                f"{len(found)} of {count} log lines match {pattern!r}:\n" + "\n".join(self.lines()[-30:]))
            time.sleep(0.01)

    def next(self, pattern):
        """Waits for a line of this pattern that no earlier call has returned."""
        self.taken[pattern] = self.taken.get(pattern, 0) + 1
        return self.wait(pattern, self.taken[pattern])[self.taken[pattern] - 1]

    def settle(self):
        """Checks the lines of one test; returns what is wrong."""
        wrong = []
        for pattern in self.must:
            try:
                self.wait(pattern, timeout=1.0)
            except AssertionError:
                wrong.append(f"announced, but not logged: {pattern}")
        if self.may:
            time.sleep(0.03)  # a denial is logged after its response
        text = self.text(self.seen)
        for line in text.splitlines():
            match = LINE.match(line)
            alarming = match is None or match.group(2) in ALARMING
            if alarming and not any(re.search(pattern, line) for pattern in self.must + self.may + [NOISE]):
                wrong.append(f"logged, but not announced: {line}")
        self.seen += len(text.encode("utf-8", "replace"))
        self.must, self.may, self.taken = [], [], {}
        return wrong
