"""What can be made, as declarations: analyzers, summaries, figures, and the family that they belong to.

Belongs here: the types of a recipe and what every recipe reads through. Does not: any family's recipes
(`tdw.families`), running one (`tdw.making`).
"""
