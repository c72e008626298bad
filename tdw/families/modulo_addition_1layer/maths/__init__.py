"""Mathematics of Z_p: Fourier bases, scale metrics of maps, pure waves."""
