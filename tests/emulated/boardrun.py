"""Runs a program on a board: its output, where it ends as it should."""


def run(board, source, status=0):
    found, output = board.run(source, timeout=60)
    assert found == status, output.decode() + board.traceback
    return output.decode()
