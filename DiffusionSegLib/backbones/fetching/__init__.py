"""Brings models onto this computer and off it: downloads, licences, offline bundles."""
