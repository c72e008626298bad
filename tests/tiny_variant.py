"""The tiny variant that tests share: see `tiny_store` in conftest.py."""

TINY = "p7_s1_d598_f0.5"
TINY_EPOCHS = (0, 10, 20)
