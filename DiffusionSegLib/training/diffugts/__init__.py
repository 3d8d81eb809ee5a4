"""Training of DiffuGTS: text maps, region choice, residuals; leave one tumor type out to test."""
