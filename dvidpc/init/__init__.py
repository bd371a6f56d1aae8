"""From the volumes that a command line names to a configuration: look at each, name it, write the file.

Nothing here serves or reads a chunk. What is written is read by `config` like any other file.
"""
