"""The command line: arguments, progress and printing. Nothing is computed here."""

#: Exit codes: all is well, a step failed, the input is wrong, Ctrl-C ended the command.
FINE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
