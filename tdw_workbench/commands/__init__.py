"""The commands of `tdw`, one a module: `add_arguments(parser)` and `run(options) -> exit code`."""
