"""At what scale a neuron's map varies: coarseness, scale profiles, pure waves to compare with."""
