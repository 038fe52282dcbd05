"""The host's own services: libvirt's daemons, settings, certificates, packet filter, and its guests."""
