"""From artifacts over epochs to one table of a variant: one module per summary. Imports no pandas."""
