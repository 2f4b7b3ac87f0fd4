"""The commands of the README, pasted one after the other into one shell."""
import subprocess

from harness.httpd import free_port
from pages import block, blocks, read

SECTION = "Protect your first application in five minutes"
# Whatever happens, the server that the commands start is ended, and their directory removed.
CLEAN_UP = """
git() { [ "$1" = clone ] && cp -a "$2" "$3"; } # as git would, from a copy without history
end() {
    cd /
    if [ -f "$demo/httpd.pid" ]; then
        pid=$(cat "$demo/httpd.pid")
        kill "$pid" || :
        # Not until the process is gone: who inherits it may never wait for it.
        for _ in $(seq 100); do [ -f "$demo/httpd.pid" ] || break; sleep 0.1; done
    fi
    rm -rf "$demo"
}
demo=/nonexistent
trap end EXIT
"""
WAIT = """
for _ in $(seq 100); do [ -f "$demo/httpd.pid" ] || break; sleep 0.1; done
[ ! -f "$demo/httpd.pid" ]
"""


def test_first_application(source):
    texts = [one.text for one in blocks("README.md", "sh") if one.heading == SECTION]
    assert len(texts) == 6
    port = str(free_port())
    clone = block("README.md", "Two commands", "sh").replace("URL", f"'{source}'")
    script = CLEAN_UP + clone + "".join(f"{text.replace('8080', port)}\necho '--- {number}'\n"
                                        for number, text in enumerate(texts, 1)) + WAIT
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", script], cwd=source.parent, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    calls = done.stdout.split("--- 4\n")[1]
    assert calls.startswith("HTTP/1.1 401 Unauthorized\r\n") or calls.startswith("HTTP/1.1 401 Unauthorized\n")
    assert '"code":"credentials_required"' in calls
    assert "Hello http://shop.example, you may: read\n" in calls
    log = done.stdout.split("--- 5\n")[1]
    assert 'sauth: refused reason=credentials_missing location=/cgi-bin/orders' in log


def test_everything_else_is_quickstart_or_runtests():
    """test_quickstart.py runs the one; who reads this was run by the other."""
    others = [one.text for one in blocks("README.md", "sh") if one.heading != SECTION]
    assert others == ["git clone URL interauth\ncd interauth\n", "./quickstart\n", "./runtests\n"]
    assert read("README.md").count("8080") == 4
