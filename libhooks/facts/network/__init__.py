"""Readers of what interfaces plug into: devices and bridges, libvirt's networks, segments."""
