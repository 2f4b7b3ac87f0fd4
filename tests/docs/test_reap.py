"""tests/reap.py, under which the tests run."""
import subprocess
import sys

from pages import TOP

# A parent of orphans that reaps none, as PID 1 of a container may be.
CARELESS = "import ctypes, subprocess, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); sys.exit(subprocess.call(sys.argv[1:]))"
ORPHAN = """
pid=$(sh -c 'sleep 0.1 >/dev/null & echo $!')
for _ in $(seq 50); do [ -e "/proc/$pid" ] || exit 7; sleep 0.1; done
"""


def run(*command):
    return subprocess.run([sys.executable, "-c", CARELESS, *command], timeout=60, check=False).returncode


def test_orphans_are_reaped():
    """The command's status comes back, too."""
    assert run(sys.executable, TOP / "tests/reap.py", "sh", "-c", ORPHAN) == 7


def test_signal():
    assert run(sys.executable, TOP / "tests/reap.py", "sh", "-c", "kill -9 $$") == 137
