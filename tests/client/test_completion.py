"""The bash completion, as installed: it offers the verbs and options of the command."""
import os
import subprocess

import pytest

SCRIPT = os.path.join(os.path.dirname(__file__), "../../client/bash-completion/interauth")


@pytest.fixture
def complete(interauth):
    def complete_words(*words):
        """The completions of the last word."""
        script = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _interauth; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "--norc", "-c", script, SCRIPT, interauth.path, *words], text=True, timeout=20,
                              cwd=interauth.home, env=interauth.environment, capture_output=True)
        assert done.stderr == "" and done.returncode == 0
        return done.stdout.split()

    return complete_words


def test_verbs(complete):
    assert {"call", "invoke", "grant", "explain", "help", "version"} <= set(complete(""))
    assert complete("gr") == complete("help", "gr") == ["grant", "grants"]
    assert complete("nosuchverb", "") == []


def test_options_and_choices(complete):
    assert complete("grant", "--ca") == ["--capability", "--cacert"]
    assert "--method" in complete("call", "-")
    assert complete("grant", "--hash", "") == complete("grant", "--hash", "=", "") == ["sha256", "sha1"]
    assert complete("keygen", "--type", "p") == ["p256", "p384"]
    assert complete("participant", "s") == ["show"]


def test_files(complete, interauth):
    (interauth.home / "order one.json").touch()
    (interauth.home / "key.jwk").touch()
    assert complete("call", "--sign", "ke") == complete("call", "-o", "ke") == complete("verify", "ke") == ["key.jwk"]
    assert complete("call", "-d", "@ke") == ["@key.jwk"]
    assert complete("call", "--json", "ke") == []


def test_grants(complete, ask, interauth):
    ask("--grant", "orders")
    assert complete("call", "--grant", "or") == complete("forget", "or") == ["orders"]


def test_installation_directory(interauth, tmp_path):
    build = os.environ["INTERAUTH_BUILD"]
    subprocess.run(["make", "-s", "-C", build, "install-dist_bashcompletionDATA", "DESTDIR=%s" % tmp_path, "datadir=/share",
                    "MAKEFLAGS="], check=True, timeout=60, capture_output=True)
    with open(SCRIPT) as source:
        assert (tmp_path / "share/bash-completion/completions/interauth").read_text() == source.read()
