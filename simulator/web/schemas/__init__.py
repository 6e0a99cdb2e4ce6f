"""The wire format: what requests must look like, and what answers do."""
