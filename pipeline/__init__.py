"""The audit pipeline of a District Attorney's Immigration Integrity Unit."""

__version__ = "0.1.0"
