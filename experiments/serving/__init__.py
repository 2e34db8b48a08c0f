"""The live system as processes: its store and index opened, its worker and server run."""
