"""What one elected replica does for all."""
