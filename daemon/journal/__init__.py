"""What must survive: jobs and their states, placements, plans, markers, step boundaries."""
