"""The picture for mail: drawn without a browser, the same bytes for the same study."""

from io import BytesIO

import numpy as np
from PIL import Image

from experiments.common.plots import GREEN, ORANGE
from experiments.review.static_image import DPI, WIDTH, static_image
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_three_studies


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def has(picture: np.ndarray, colour: str) -> bool:
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return bool((picture == wanted).all(axis=2).any())


def test_it_shows_verdict_and_intervals_and_is_the_same_every_time(tmp_path):
    write_three_studies(tmp_path)
    adopted = static_image(read_study(tmp_path, "adopted"))
    picture = pixels(adopted)
    assert picture.shape[1] == WIDTH * DPI
    assert has(picture, GREEN)
    assert not has(picture, ORANGE)
    assert static_image(read_study(tmp_path, "adopted")) == adopted
    refused = pixels(static_image(read_study(tmp_path, "refused")))
    assert has(refused, ORANGE)


def test_letters_stay_within_the_picture(tmp_path):
    write_three_studies(tmp_path)
    for name in ("adopted", "refused", "sealed"):
        picture = pixels(static_image(read_study(tmp_path, name)))
        edges = [picture[:12], picture[-12:], picture[:, :12], picture[:, -12:]]
        assert all((edge == 255).all() for edge in edges), name
