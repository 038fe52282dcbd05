"""What is written from the tables: an editor's schema, man pages and completions."""
