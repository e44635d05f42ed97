"""Compile and cache all kernels of the simulator in advance."""

from __future__ import annotations

from galfeat.data.simulation.draw import draw
from galfeat.data.simulation.scene import (
    Arms,
    Bar,
    Disc,
    Distortion,
    Galaxy,
    Knots,
    Ring,
    Scene,
    Shell,
    Speck,
    Spheroid,
    Star,
    Stream,
)


def warmup() -> None:
    """Compile and cache all kernels by drawing one small scene with all components."""
    disc = Disc(
        magnitude=16.0,
        colour=0.6,
        scale_length=3.0,
        inclination=30.0,
        flocculence=0.3,
        clumpiness=0.3,
        dust=1.0,
    )
    arms = Arms(
        number=2, pitch=15.0, winding=1, phase=0.0, contrast=0.8, start=0.5, end=4.0, wobble=0.1
    )
    spiral = Galaxy(
        spheroid=Spheroid(magnitude=17.0, colour=0.8, radius=1.0, index=2.0, boxiness=2.5),
        disc=disc,
        arms=arms,
        bar=Bar(strength=0.2, length=3.0, angle=0.0),
        ring=Ring(strength=0.1, radius=3.0, width=0.5),
        knots=Knots(number=2, share=0.05),
        distortion=Distortion(stretch=0.3),
        streams=(
            Stream(
                magnitude=18.0,
                colour=0.5,
                angle=0.0,
                start=3.0,
                length=6.0,
                curvature=60.0,
                width=1.0,
            ),
        ),
        shells=(Shell(magnitude=18.0, colour=0.6, radius=5.0, angle=0.0, opening=90.0),),
    )
    side = Galaxy(
        disc=Disc(magnitude=17.0, colour=0.6, scale_length=3.0, inclination=90.0, dust=1.0)
    )
    speck = Speck(x=3.0, y=3.0, magnitude=20.0, colour=0.6, size=1.0, q=0.7, position_angle=10.0)
    star = Star(x=-3.0, y=-3.0, magnitude=12.0, colour=0.6)
    scene = Scene(galaxies=(spiral, side), specks=(speck,), stars=(star,))
    draw(scene, size=32)
    draw(scene, size=32, rendering="sdss", pixel_scale=0.2)
