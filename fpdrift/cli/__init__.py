"""The command line: arguments, progress and printing. Nothing is computed here."""
