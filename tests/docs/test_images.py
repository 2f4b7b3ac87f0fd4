"""The pictures are rendered from their sources, and each is on a page."""
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from pages import TOP, pages, read

IMAGES = TOP / "docs" / "images"
PICTURES = sorted(path.with_suffix(".svg").name for path in IMAGES.iterdir() if path.suffix in (".dot", ".puml")) + ["bench.svg"]


def words(svg):
    """The words of a picture: their positions depend on fonts and versions."""
    texts = (element.text or "" for element in ElementTree.parse(svg).iter() if element.tag.endswith("}text"))
    return sorted(" ".join(texts).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    for tool in ("dot", "gnuplot", "plantuml"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    directory = tmp_path_factory.mktemp("images")
    subprocess.run([IMAGES / "render", directory], check=True, timeout=120)
    return directory


@pytest.mark.parametrize("picture", PICTURES)
def test_picture_is_of_its_source(picture, rendered):
    assert len(words(IMAGES / picture)) > 10
    assert words(IMAGES / picture) == words(rendered / picture), "run docs/images/render"


def test_every_picture_has_a_source_and_a_page():
    shown = set()
    for page in pages():
        shown |= {target.rsplit("/", 1)[-1] for target in re.findall(r"!\[[^]]+\]\(([^)]+\.svg)\)", read(page))}
    assert {path.name for path in IMAGES.glob("*.svg")} == set(PICTURES) == shown


def test_pictures_need_nothing_from_elsewhere():
    for picture in IMAGES.glob("*.svg"):
        text = picture.read_text().split("<svg", 1)[1]
        assert not re.search(r"<script|<image|href=.(?!#)|@import|\burl\((?!#)", text), picture.name
