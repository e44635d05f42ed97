"""Published morphology on native pixels: CAS, Gini, M20, MID, Sérsic, isophotes."""
