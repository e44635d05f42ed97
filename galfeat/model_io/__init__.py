"""A model folder on disk: saved, verified, loaded, trusted, described by a card."""
