"""libhooks makes ``virsh migrate`` work between hosts that are not identical."""

__version__ = "0.1.0"
