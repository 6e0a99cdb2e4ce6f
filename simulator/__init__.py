"""A local simulator of the Banked pay-by-bank API."""

__version__ = "0.1.0"
