"""Plans: what a run will cost here, and what to do when that is more than there is."""
