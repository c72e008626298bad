"""The training loss as a landscape over the weights: its curvature, its flatness, its degeneracy.

Of a family nothing is needed but its training loss as a function of the weights: its contexts have a
`training_loss` (see `training_loss.py`), and its recipes end with `landscape.recipes.RECIPES`.
"""
