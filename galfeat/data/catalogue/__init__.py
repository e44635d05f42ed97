"""Which galaxies there are: tables, labels, groups, and the classes of Galaxy10."""
