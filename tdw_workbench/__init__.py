"""Around Dagster's own UI: the command line, the supervisor of `tdw up`, and the pages below /tdw."""
