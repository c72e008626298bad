"""Results that travel: bundles to another machine, and checkpoints from other people."""
