"""What the machine runs and has to give: release, emulators, processor, memory, devices, tuning."""
