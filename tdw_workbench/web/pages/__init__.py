"""The pages: overview, plot, report, explorer. One module per page."""
