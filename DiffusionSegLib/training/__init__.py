"""Training, beside the methods; one package per method that can be trained."""
