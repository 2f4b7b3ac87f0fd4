"""Compares pages with the code (outcomes, notes, directives) and with each other (links, blocks that a test runs)."""
import re

import pytest

import advice
import outcomes
from pages import TOP, blocks, pages, read, rows

CONTEXTS = {"RSRC_CONF": "server config", "RSRC_CONF | ACCESS_CONF": "server config, virtual host, directory"}
CONTEXTS["SAUTH_ANYWHERE"] = CONTEXTS["ANYWHERE"] = CONTEXTS["RSRC_CONF | ACCESS_CONF"]

# Which test runs the blocks of a page, by language.
RUN_BY = {
    ("README.md", "sh"): "test_readme.py, test_quickstart.py",
    ("HACKING.md", "sh"): "test_guides.py::test_hacking",
    ("docs/performance.md", "sh"): "test_performance.py",
    ("docs/guides/troubleshooting.md", "ini"): "test_guides.py::test_fail2ban_jail",
    ("docs/guides/participants.md", "json"): "test_guides.py::test_participants",
    ("docs/guides/participants.md", "sh"): "test_guides.py::test_participants",
    ("docs/guides/debian.md", "sh"): "test_guides.py::TestDebian",
    ("docs/guides/debian.md", "text"): "test_guides.py::TestDebian",
    ("docs/guides/php.md", "apache"): "test_guides.py::test_configuration, TestPhp",
    ("docs/guides/php.md", "sh"): "test_guides.py::TestDebian::test_modules_are_named",
    ("docs/guides/migrate-from-basic.md", "sh"): "test_guides.py::TestDebian::test_modules_are_named",
    ("docs/guides/php.md", "php"): "test_guides.py::TestPhp",
    ("docs/guides/signatures.md", "apache"): "test_guides.py::test_configuration, TestSignatures",
    ("docs/guides/signatures.md", "json"): "test_guides.py::TestSignatures",
    ("docs/guides/signatures.md", "sh"): "test_guides.py::TestSignatures",
    ("docs/guides/methods.md", "apache"): "test_guides.py::test_configuration, test_methods",
    ("docs/guides/troubleshooting.md", "apache"): "test_guides.py::test_configuration, test_request_id",
    ("docs/guides/deployment.md", "apache"): "test_guides.py::test_configuration, test_deployment.py, test_container.py",
    ("docs/guides/deployment.md", "sh"): "test_container.py",
    ("docs/guides/deployment.md", "yaml"): "test_container.py",
    ("docs/guides/upgrade.md", "sh"): "test_upgrade_guide.py::TestUpgrade, test_uninstall",
    ("docs/guides/monitoring.md", "apache"): "test_guides.py::test_configuration, test_monitoring.py::TestNumbers",
    ("docs/guides/monitoring.md", "sh"): "test_monitoring.py::TestNumbers",
    ("docs/guides/migrate-from-basic.md", "apache"): "test_guides.py::test_configuration, TestMigrate",
}


def test_outcomes():
    assert read("docs/outcomes.md") == outcomes.page(), "run tests/docs/outcomes.py >docs/outcomes.md"


def test_advice_of_the_client():
    assert read("client/advice.inc") == advice.text(), "run tests/docs/advice.py >client/advice.inc"
    assert len(advice.advice()) == len(outcomes.outcomes())


def test_troubleshooting_has_a_row_for_every_outcome():
    found = [cells[0].strip("`") for cells in rows(read("docs/guides/troubleshooting.md")) if cells[0] != "tag"]
    tags = [one["tag"] for one in outcomes.outcomes()]
    assert len(tags) > 60
    assert sorted(found) == sorted(tags)
    assert all(len(cells) == 3 and all(cells) for cells in rows(read("docs/guides/troubleshooting.md")))


def test_notes():
    names = re.findall(r'#define IA_NOTE_\w+ +"([^"]+)"', (TOP / "include/interauth_notes.h").read_text())
    found = [cells for cells in rows(read("docs/notes.md")) if cells[0] != "note"]
    assert len(names) >= 7
    assert sorted(cells[0].strip("`") for cells in found) == sorted(names)
    assert all(len(cells) == 5 and all(cells) for cells in found)


def directives():
    """(module, name, where it may stand) of every row of the modules' tables that is a directive of ours."""
    for module in ("registry", "sauth", "isign"):
        text = (TOP / f"modules/{module}/{module}_config.c").read_text()
        found = re.findall(r'AP_INIT_\w+\(\s*"(\w+)",[^,]+,[^,]+, ([A-Z_ |]+),', text)
        assert found and len(found) == text.count("AP_INIT_")
        for name, where in found:
            if re.match("Registry|SAuth|ISign", name):  # others are httpd's own, looked at beside it
                yield module, name, where


@pytest.mark.parametrize("module, name, where", directives())
def test_directive(module, name, where):
    text = read(f"docs/directives/{module}.md")
    assert f"\n## {name}\n" in text
    section = text.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
    table = {cells[0]: cells[1] for cells in rows(section) if len(cells) == 2}
    assert table["Syntax"].startswith(f"`{name} ")
    assert table["Default"] and table["Context"] == CONTEXTS[where] and table["Since"] == "0.1"
    prose = [line for line in section.splitlines() if line and not line.startswith("|")]
    assert prose


def defaults():
    """(name, value) of the defaults that are numbers in the code."""
    text = "".join((TOP / f"modules/sauth/{name}.c").read_text()
                   for name in ("sauth_config", "sauth/access_dialect", "challenge/challenge_dialect"))
    for directive, constant in (("SAuthClockSkew", "SKEW"), ("SAuthRefreshWindow", "REFRESH_WINDOW"),
                                ("SAuthGrantMaxAge", "GRANT_MAX_AGE"), ("SAuthNonceLifetime", "NONCE_LIFETIME"),
                                ("SAuthChallengeLifetime", "LIFETIME")):
        yield directive, re.search(rf"#define {constant}_DEFAULT +(\d+)", text).group(1)
    yield "SAuthGrantCapacity", re.search(r"grant_capacity = (\d+)", text).group(1)
    text = (TOP / "modules/isign/isign_config.c").read_text()
    yield "ISignReplayCapacity", re.search(r"#define REPLAYS_DEFAULT +(\d+)", text).group(1)
    yield "ISignMaxAge", re.search(r"#define AGE_DEFAULT +(\d+)", text).group(1)
    header = (TOP / "modules/registry/mod_registry.h").read_text()
    yield "RegistryKeyCapacity", re.search(r"#define REGISTRY_KEYS_DEFAULT +(\d+)", header).group(1)
    yield "RegistryCapacity", re.search(r"#define REGISTRY_CAPACITY_DEFAULT +(\d+)", header).group(1)


@pytest.mark.parametrize("name, value", defaults())
def test_default(name, value):
    module = re.match("Registry|SAuth|ISign", name).group().lower()
    section = read(f"docs/directives/{module}.md").split(f"\n## {name}\n", 1)[1]
    assert re.search(r"^\| Default \| `(\d+)`", section, re.MULTILINE).group(1) == value


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages())
def test_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", read(page))):
        assert "://" not in target, f"{page}: {target} leads out of the project"
        path, _, anchor = target.partition("#")
        where = (TOP / page).parent / path if path else TOP / page
        assert where.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in anchors(str(where.resolve().relative_to(TOP))), f"{page}: {target}"


def test_readme_leads_everywhere():
    """Each page can be reached from the README."""
    seen, left = set(), ["README.md"]
    while left:
        page = left.pop()
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)", read(page)):
            name = str(((TOP / page).parent / target).resolve().relative_to(TOP))
            if name not in seen:
                left.append(name)
    assert seen == set(pages())


@pytest.mark.parametrize("page", pages())
def test_every_block_is_run(page):
    for one in blocks(page):
        assert (page, one.language) in RUN_BY, f"{page}: no test runs the block under {one.heading!r}:\n{one.text}"


def test_no_block_is_claimed_in_vain():
    there = {(page, one.language) for page in pages() for one in blocks(page)}
    assert set(RUN_BY) == there


@pytest.mark.parametrize("page", pages())
def test_form(page):
    text = read(page)
    assert text.startswith("# ") and text.endswith("\n") and not text.endswith("\n\n")
    for number, line in enumerate(text.splitlines(), 1):
        assert line == line.rstrip() and "\t" not in line, f"{page}:{number}"
        assert len(line) <= 130 or line.startswith(("|", "    ", "bin/interauth")), f"{page}:{number}: long"


def test_documentation_is_installed():
    listed = set(re.findall(r"[\w./-]+\.md", (TOP / "docs/local.mk").read_text()))
    assert listed == set(pages())
