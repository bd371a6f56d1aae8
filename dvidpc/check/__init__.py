"""`dvidpc check`: open every volume of a configuration, report how it is served, and how to fix problems.

It reads the same plan of a volume as the server. It decides nothing itself about how a scale is served.
"""
