"""The HTTP edge: guards, body decoding, wire structs, problems; one file per kind of caller."""
