"""What a POSIX shell or bash would make of a line: words, quotes, pipes, lists, here-documents. Nothing is run."""
