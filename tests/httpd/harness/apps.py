"""The applications: a CGI script and a PHP page. Each records in a journal that it ran."""
import base64
import os
import shutil
import socket
import subprocess
import time

MARK = b"=====BODY=====\n"

# Query: status=N, location=PATH, sleep=SECONDS, header=TEXT (with + for a space); separated by "&".
CGI = r"""#!/bin/sh
echo "$SCRIPT_NAME $REQUEST_METHOD" >>"@ROOT@/journal"
option() {
    case "&$QUERY_STRING" in *"&$1="*) value=${QUERY_STRING#*"$1="}; printf %s "${value%%&*}" | tr + ' ' ;; esac
}
pause=$(option sleep); [ -z "$pause" ] || sleep "$pause"
body=$(mktemp "@ROOT@/spool/body.XXXXXX") || exit 1
trap 'rm -f "$body"' EXIT
cat >"$body" # all of it before the first output: httpd hands the body over before it reads a response
where=$(option location)
if [ -n "$where" ]; then printf 'Location: %s\r\n\r\n' "$where"; exit; fi
status=$(option status); [ -z "$status" ] || printf 'Status: %s\r\n' "$status"
header=$(option header); [ -z "$header" ] || printf '%s\r\n' "$header"
printf 'Content-Type: application/octet-stream\r\n\r\n'
env
printf '=====BODY=====\n'
cat "$body"
"""

PHP = r"""<?php
file_put_contents('@ROOT@/journal', $_SERVER['SCRIPT_NAME'] . ' ' . $_SERVER['REQUEST_METHOD'] . "\n", FILE_APPEND);
header('Content-Type: application/json');
echo json_encode(['server' => $_SERVER, 'env' => getenv(), 'headers' => getallheaders(),
                  'body' => base64_encode(file_get_contents('php://input'))], JSON_INVALID_UTF8_SUBSTITUTE);
"""


class Shown:
    """What an application has received, as it reports."""

    def __init__(self, response):
        assert response.status == 200, repr(response)
        self.raw = response.body
        self.headers = {}
        if (response.header("Content-Type") or "").startswith("application/json"):
            seen = response.json
            self.env = {name: str(value) for name, value in {**seen["env"], **seen["server"]}.items()}
            self.headers = seen["headers"]
            self.body = base64.b64decode(seen["body"])
        else:
            self.env, self.body = environment(response.body)


def environment(data):
    """Splits what the CGI printed into its environment and the body it read."""
    head, mark, body = data.partition(MARK)
    assert mark, data[:400]
    pairs = (line.split("=", 1) for line in head.decode("utf-8", "surrogateescape").splitlines() if "=" in line)
    return {name: value for name, value in pairs}, body


def install(path, text, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def php_program():
    found = shutil.which("php-cgi")
    if not found:
        raise RuntimeError("php-cgi not found; on Debian: apt-get install php-cgi")
    return found


class PhpFcgi:
    """php-cgi as a FastCGI server."""

    def __init__(self, port, log, user=None):
        self.port = port
        environ = {"PATH": os.environ["PATH"], "PHP_FCGI_MAX_REQUESTS": "1000000"}
        as_user = {"user": user, "group": user, "extra_groups": []} if user else {}
        with open(log, "wb") as out:
            self.process = subprocess.Popen([php_program(), "-b", f"127.0.0.1:{port}"], env=environ,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, **as_user)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError("php-cgi did not start")
                time.sleep(0.01)

    def stop(self):
        self.process.kill()
        self.process.wait()
