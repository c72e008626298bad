"""What must hold of everything that is made: one model and one probe, spec versions, layouts of arrays."""
