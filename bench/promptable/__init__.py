"""Makes the graphs of the promptable network that models/ ships: weightless, pointing into its checkpoint."""
