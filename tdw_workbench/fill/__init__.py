"""`tdw fill`: what is asked for, how much is left, and the processes that carry it out."""
