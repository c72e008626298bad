"""Tables of what is learned when: outcome, grokking epoch, pairs, commitment of neurons, answers."""
