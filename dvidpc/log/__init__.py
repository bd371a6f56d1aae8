"""Log messages: where they go, how a line looks, file rotation, and the limit on repeated warnings.

Every room may log through `logging`; only the command line and a reload call `set_up_logging`. This room
knows nothing of the configuration file and nothing of HTTP: values come in as plain arguments.
"""
