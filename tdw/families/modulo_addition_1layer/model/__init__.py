"""The network of modular addition, its fast forms, its data, its probe, and its TransformerLens model."""
