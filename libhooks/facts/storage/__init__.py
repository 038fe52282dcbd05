"""Readers of what disks lie on: files and images, block devices, who exports them, who may open them."""
