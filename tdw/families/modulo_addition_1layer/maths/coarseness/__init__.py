"""The scale at which the map of a neuron varies: coarseness, scale profiles, pure waves to compare with."""
