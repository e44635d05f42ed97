from galfeat.classifier import GalaxyClassifier as GalaxyClassifier
from galfeat.data import open_dataset as open_dataset
from galfeat.features import FeatureExtractor as FeatureExtractor
from galfeat.features.flux import measure as measure
from galfeat.model_io.folder import load_model as load_model
from galfeat.pipeline import load_pipeline as load_pipeline

__version__: str
