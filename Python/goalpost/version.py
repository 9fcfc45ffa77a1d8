"""The version of the package, which is that of the tool; a test compares the two."""

VERSION = "0.1.0"
