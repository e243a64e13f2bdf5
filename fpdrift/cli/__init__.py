"""The command line: arguments, progress and printing. Nothing is computed here."""

#: Exit code of a command that Ctrl-C ended.
INTERRUPTED = 130
