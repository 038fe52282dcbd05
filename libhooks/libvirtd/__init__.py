"""libvirt, as its clients reach it: the only part that imports it, and never part of a decision."""
