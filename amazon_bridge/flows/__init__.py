"""The product: one file a job, to be read from top to bottom."""
