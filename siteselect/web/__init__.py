"""The planner's application: a local web server over the run store and the packs."""
