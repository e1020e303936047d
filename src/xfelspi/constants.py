"""Physical constants (CODATA 2018); each name ends in its unit."""

ELECTRON_RADIUS_NM = 2.817_940_326_2e-6
"""Classical electron radius."""

HC_EV_NM = 1_239.841_984
"""Planck constant times speed of light."""

ELEMENTARY_CHARGE_C = 1.602_176_634e-19
"""Joules in one electronvolt."""

BOLTZMANN_J_PER_K = 1.380_649e-23
"""Boltzmann constant."""
