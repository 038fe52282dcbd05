"""What a guest's disks and interfaces meet here, put together from the other readers."""
