"""Outlines the sample images and shows the results on one page."""
