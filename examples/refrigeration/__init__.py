# The parts of the cold room (examples/cold_room.py): the simulated plant, the modules of its
# controller, which know each other by the topics of the event bus only, and the proofs.
