"""Log messages: set-up, text and JSON lines, rotation, the filter that holds back storms."""
