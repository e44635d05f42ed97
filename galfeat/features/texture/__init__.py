"""Texture: local patterns, co-occurrence, Gabor and starlet scales, Zernike moments."""
