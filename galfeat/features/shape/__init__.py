"""Outline, symmetry and surroundings of a galaxy in its canonical views."""
