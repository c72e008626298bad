"""What is learned when: losses and gradients by site, pairs, frequencies of neurons."""
