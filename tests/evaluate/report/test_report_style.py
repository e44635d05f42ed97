import re
from importlib.resources import files

import numpy as np
import pytest

from galfeat.evaluate.comparison.figures import COLOURS

STYLE = files("galfeat.evaluate.report").joinpath("report.css").read_text(encoding="utf-8")
SERIES = [f"s{place}" for place in range(COLOURS)]
LIGHT, DARK = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]


def colour(scheme, name):
    """Red, green and blue of a variable, 0 to 1."""
    digits = re.search(rf"--{name}: #([0-9a-f]{{6}});", scheme)[1]
    return np.array([int(digits[place : place + 2], 16) for place in (0, 2, 4)]) / 255


def luminance(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Contrast ratio of WCAG 2, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("text", ["ink", "soft", "accent", "right", "wrong", *SERIES])
def test_text_contrasts_with_its_background(scheme, ground, text):
    assert contrast(colour(scheme, text), colour(scheme, ground)) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_contrasts_with_the_darkest_shade_of_the_confusion_matrix(scheme):
    shade = np.array(re.search(r"--shade: (\d+) (\d+) (\d+);", scheme).groups(), float) / 255
    deepest = float(re.search(r"--deepest: ([\d.]+);", scheme)[1])
    ground = deepest * shade + (1 - deepest) * colour(scheme, "paper")
    assert contrast(colour(scheme, "ink"), ground) >= 4.5
