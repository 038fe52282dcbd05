"""The commands that people run. Each module is one of them; ``main`` knows them all."""
