"""The one answer to "what is missing": every product of a study, whether it is there, and what to do.

Belongs here: wanted cells, products, their state (done, missing, out of date, waiting), the plan by stage.
Does not: how a product is made (`tdw.making`, `tdw.reports`). What a product was made by is recorded in the
headers of the files and in Dagster's event log; both are asked through `records.Records`.
"""
