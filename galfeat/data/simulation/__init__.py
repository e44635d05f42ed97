"""What the simulator is made of: scenes, the populations they are drawn from, and their pictures.

`scene` says what a galaxy is, `population` and `surroundings` draw one at random,
`light`, `paint`, `blur` and `rendering` turn it into an image, `draw` puts these together.
"""
