"""The service: it makes decisions fast, and accompanies guests. Nothing depends on it."""
