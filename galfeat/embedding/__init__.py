"""The small network: what it is shown, how it runs, and how it is trained."""
