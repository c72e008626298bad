"""Tables of the weights: circuits of the heads, effective dimensions."""
