"""What the unit alone sees, each into `restricted/` of an audit: curves and rates too fine to be shown, and lists of cases."""
