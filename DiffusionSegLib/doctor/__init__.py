"""Examines an installation, for a report that a user can show to others: see report.py."""
