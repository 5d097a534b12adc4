"""What a chart is made of, read from its markup, and the laws that hold for each."""

import re
import xml.etree.ElementTree as ET

NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
ALLOWED = {"svg", "g", "a", "defs", "pattern", "rect", "line", "path", "circle", "text", "title"}


def parsed(markup: str) -> ET.Element:
    """The picture, which is well-formed XML."""
    return ET.fromstring(markup)  # noqa: S314 (made here)


def is_lawful(markup: str) -> ET.Element:
    """Only known elements and attributes, nothing inline, every place finite and inside of the picture; then that."""
    picture = parsed(markup)
    assert {"aria-label", "aria-hidden"} & set(picture.attrib) or picture[0].tag == "title"
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    for part in picture.iter():
        assert part.tag in ALLOWED
        assert not [name for name in part.attrib if name == "style" or name.startswith("on")]
    for pattern in picture.findall("defs"):
        picture.remove(pattern)
    for part in picture.iter():
        for x, y in places(part):
            assert -0.06 <= x <= width + 0.06, (part.tag, part.attrib)
            assert -0.06 <= y <= height + 0.06, (part.tag, part.attrib)
    assert "nan" not in re.sub(r">[^<]*<|(aria-label|href|class)=\"[^\"]*\"", "", markup).lower()
    return picture


def places(part: ET.Element) -> list[tuple[float, float]]:
    """The points that an element touches."""
    at = {name: float(value) for name, value in part.attrib.items() if name in GEOMETRY}
    match part.tag:
        case "rect":
            return [(at["x"], at["y"]), (at["x"] + at["width"], at["y"] + at["height"])]
        case "circle":
            return [(at["cx"] - at["r"], at["cy"] - at["r"]), (at["cx"] + at["r"], at["cy"] + at["r"])]
        case "line":
            return [(at["x1"], at["y1"]), (at["x2"], at["y2"])]
        case "text":
            return [(at["x"], at["y"])]
        case "path":
            numbers = [float(number) for number in NUMBERS.findall(part.attrib["d"])]
            return list(zip(numbers[::2], numbers[1::2], strict=True))
        case _:
            return []


GEOMETRY = {"x", "y", "width", "height", "cx", "cy", "r", "x1", "x2", "y1", "y2"}


def with_class(picture: ET.Element, css: str) -> list[ET.Element]:
    return [part for part in picture.iter() if css in part.get("class", "").split()]


def texts(picture: ET.Element, tag: str = "text") -> list[str]:
    return [part.text or "" for part in picture.iter(tag)]
