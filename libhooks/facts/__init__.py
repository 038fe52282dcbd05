"""What a host says of itself, read from files alone: never by asking libvirt, which would deadlock."""
