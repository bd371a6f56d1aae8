"""`dvidpc check`: opens every volume of a configuration, says how it is served and what mends it."""
