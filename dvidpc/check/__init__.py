"""`dvidpc check`: open every volume of a configuration, say how it is served and how to fix what is wrong.

It reads the same plan of a volume as the server does and decides nothing itself about how a scale is served.
"""
