"""What the YAML says: keys and their check, conditions, rules, templates, the plan of a photo."""
