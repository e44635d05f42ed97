"""The web application: a button, a galaxy, what a model says of it and why."""
