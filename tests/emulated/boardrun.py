"""Runs a program on a board: its output, where it ends as it should."""

from waiting import PROGRAM_S


def run(board, source, status=0):
    found, output = board.run(source, timeout=PROGRAM_S)
    assert found == status, output.decode() + board.traceback
    return output.decode()
