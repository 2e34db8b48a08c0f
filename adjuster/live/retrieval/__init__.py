"""Searches by originals and copies."""
