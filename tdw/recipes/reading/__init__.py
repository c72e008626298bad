"""What recipes read: tables and artifacts of variants, slices for an explorer, evidence for claims."""
