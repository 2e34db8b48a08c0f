"""What people read; no arithmetic but rounding."""
