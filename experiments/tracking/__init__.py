"""Runs in MLflow, delivered once, late if need be."""
