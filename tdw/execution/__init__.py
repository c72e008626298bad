"""Do what the plan says: take over, make and commit cells, tables, figures and reports, one by one."""
