"""What a figure records of the tables that it was made from."""

import numpy as np
import pandas as pd

from tdw.recipes.reading.reader import fingerprint_table
from tdw.store.fingerprints import fingerprint_arrays


def test_a_table_counts_as_its_numbers_and_what_is_no_number_as_pandas_writes_it() -> None:
    table = pd.DataFrame(
        {
            "epoch": [0, 10, 20],
            "loss": np.array([1.5, np.nan, 0.25]),
            "settled": pd.array([None, 10, 20], dtype="Int64"),
            "whole": pd.array([1, 2, 3], dtype="Int64"),
            "keys": ["4 11", "", "ä"],
            "note": ["a", None, "b"],
            "any": np.array([None, 2.5, True], object),
        }
    )
    numbers = ("epoch", "loss", "settled", "whole")
    written = {
        f"{place:05d}|{name}": table[name].to_numpy()
        if name in numbers
        else table[name].map(str).to_numpy("U")
        for place, name in enumerate(table.columns)
    }
    assert fingerprint_table(table) == fingerprint_arrays(written)
