"""Accuracies on Galaxy10 DECaLS that others report, with their sources."""

from __future__ import annotations

from typing import NamedTuple

NOTE = (
    "Galaxy10 DECaLS has no official split. Published accuracies were measured on other test "
    "images, most of them without regard to duplicates, so differences of a few hundredths mean "
    "little."
)
"""What limits a comparison with published numbers."""

_UNTRACED = "original publication not traced"


class PublishedScore(NamedTuple):
    """An accuracy reported for Galaxy10 DECaLS.

    Attributes
    ----------
    method : str
    accuracy : float
        On a random split of the authors.
    source : str
        Publication, or that it could not be traced.
    url : str
        Address of the publication; empty if unknown.

    Examples
    --------
    >>> from galfeat.evaluate.benchmark import PUBLISHED
    >>> max(PUBLISHED, key=lambda score: score.accuracy).url
    'https://arxiv.org/abs/2311.01500'
    """

    method: str
    accuracy: float
    source: str
    url: str = ""

    def to_json(self) -> dict[str, str | float | None]:
        """Return plain types for JSON."""
        return {**self._asdict(), "url": self.url or None}


PUBLISHED = (
    PublishedScore("engineered features, support vector machine", 0.37, _UNTRACED),
    PublishedScore(
        "DenseNet121 features, random forest",
        0.68,
        "DenseNet-random forest model based galaxy classification, Applied and Computational "
        "Engineering",
        "https://www.ewadirect.com/proceedings/ace/article/view/4810",
    ),
    PublishedScore("rotation-equivariant network, 33,000 parameters", 0.82, _UNTRACED),
    PublishedScore(
        "CLIP-GMC, fine-tuned on all labels",
        0.8431,
        "Cai et al., Contrastive Language-image Pretraining Model for Galaxy Morphology "
        "Classification",
        "https://synapsesocial.com/es/papers/698828b90fc35cd7a8848655",
    ),
    PublishedScore(
        "Zoobot 2 (Galaxy Zoo Evo), fine-tuned",
        0.867,
        "Cai et al., Contrastive Language-image Pretraining Model for Galaxy Morphology "
        "Classification",
        "https://synapsesocial.com/es/papers/698828b90fc35cd7a8848655",
    ),
    PublishedScore("ConvNeXtV2, fine-tuned", 0.870, _UNTRACED),
    PublishedScore(
        "EfficientNet-B5 of ImageNet, fine-tuned",
        0.87,
        "Engineering Proceedings 89, 36 (2025)",
        "https://doi.org/10.3390/engproc2025089036",
    ),
    PublishedScore("Zoobot features, multilayer perceptron", 0.896, _UNTRACED),
    PublishedScore(
        "Astroformer", 0.9486, "Dagli 2023, arXiv:2304.05350", "https://arxiv.org/abs/2304.05350"
    ),
    PublishedScore(
        "network equivariant to the group D16",
        0.9552,
        "Pandya et al. 2023, arXiv:2311.01500",
        "https://arxiv.org/abs/2311.01500",
    ),
)
"""By accuracy. Accuracies above 0.9 have not been reproduced on a split that can be checked."""
