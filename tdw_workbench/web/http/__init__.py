"""What every page needs of HTTP: guard, parameters, answers, templates, static files, settings."""
