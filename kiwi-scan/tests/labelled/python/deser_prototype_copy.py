import pickle
from dataclasses import dataclass, field

from fastapi import FastAPI

app = FastAPI()


@dataclass
class Board:
    width: int = 8
    cells: list = field(default_factory=lambda: [0] * 64)


PROTOTYPE = Board()


@app.post("/games/{game_id}")
def new_game(game_id: int):
    frozen = pickle.dumps(PROTOTYPE, protocol=pickle.HIGHEST_PROTOCOL)
    board = pickle.loads(frozen)
    board.cells[game_id % 64] = 1
    return {"game": game_id, "cells": board.cells}
