"""The commands of docs/performance.md, in a short run: only whether they work, not their figures."""
import subprocess

from pages import TOP, block


def test_bench(build, tmp_path):
    lines = block("docs/performance.md", "How to measure", "sh").splitlines()
    assert lines == ["tests/bench/run build", "make -C build tests/bench/httpsig", "build/tests/bench/httpsig"]
    (tmp_path / "build").symlink_to(build)
    said = ""
    for line in (f"{TOP}/{lines[0]} --smoke", lines[1], f"{lines[2]} 200"):
        done = subprocess.run(line.split(), cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        said += done.stdout
    assert "bench: works" in said and said.count("us without cryptography") == 3
