"""How a host is read: within a root, each question within its time, nothing that hangs in our process."""
