"""The mathematics of modular addition: Fourier analysis over Z_p, and what rests on it."""
