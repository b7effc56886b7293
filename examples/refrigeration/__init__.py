# The parts of the cold room (examples/cold_room.py): the simulated plant, the messages, and the
# modules of its controller.
