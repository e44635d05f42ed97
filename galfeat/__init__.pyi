from galfeat.classifier import GalaxyClassifier as GalaxyClassifier
from galfeat.data import open_dataset as open_dataset
from galfeat.features import FeatureExtractor as FeatureExtractor
from galfeat.model_io.folder import load_model as load_model
from galfeat.recipe import load_recipe as load_recipe

__version__: str
