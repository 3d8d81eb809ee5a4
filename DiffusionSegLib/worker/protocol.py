"""The version of the messages: changed when an old front end would misread a new worker."""

__all__ = ["PROTOCOL"]

PROTOCOL = 3
