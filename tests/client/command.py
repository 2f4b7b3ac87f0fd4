"""Runs the client and checks that it never prints a secret."""
import os
import subprocess


class Command:
    """The interauth command with its own home directory. It must never print one of the `canaries`."""

    def __init__(self, path, home):
        self.path, self.home = path, home
        self.canaries = set()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}

    @property
    def state(self):
        return self.home / ".local/state/interauth/state.json"

    def start(self, *arguments, environment=None, **options):
        arguments = [str(argument) for argument in arguments]
        return subprocess.Popen([self.path, *arguments], env={**self.environment, **(environment or {})},
                                stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.home, **options)

    def finish(self, process, data=None):
        out, err = process.communicate(data, timeout=60)
        result = subprocess.CompletedProcess(process.args, process.returncode, out.decode("latin-1"),
                                             err.decode("latin-1"))
        self.inspect(result)
        return result

    def __call__(self, *arguments, environment=None, data=None):
        options = {"stdin": subprocess.PIPE} if data is not None else {}
        return self.finish(self.start(*arguments, environment=environment, **options), data)

    def inspect(self, result):
        for canary in self.canaries:
            assert canary not in result.stdout, "a secret on standard output"
            assert canary not in result.stderr, "a secret on standard error"
            assert not any(canary in str(argument) for argument in result.args), "a secret in the arguments"
        assert "ERROR: " not in result.stderr and "runtime error" not in result.stderr, result.stderr


def find():
    """The client of the build directory, or None."""
    build = os.environ.get("INTERAUTH_BUILD")
    return os.path.join(os.path.abspath(build), "interauth") if build else None
