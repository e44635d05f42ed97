"""Azimuthal Fourier analysis: lopsidedness, bars, and spiral arms with their pitch."""
