"""The HTTP edge: guards, body decoding, wire structs, problems; one file for each kind of caller."""
