"""Starting positions from a file: what the columns mean, which rows count, and every refusal with its line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seawall.protocols.errors import ScenarioError
from seawall.scenarios.snapshot import PositionColumns, Positions, PositionsFile, read_positions

IN_USD = {"collateral": "locked", "debt": "owed"}


def a_file(folder: Path, *lines: str, header: str = "locked,owed,market,price,cash") -> Path:
    file = folder / "positions.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def read(file: Path, columns: dict[str, Any] | None = None, **changes: Any) -> Positions:
    named = PositionColumns(**(columns or IN_USD))
    return read_positions(PositionsFile(file=file.name, columns=named, **changes), file)


def faults(file: Path, columns: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        read(file, columns, **changes)
    return [str(fault).replace(str(file), "FILE") for fault in refused.value.faults]


def test_amounts_in_usd_are_taken_as_they_are(tmp_path: Path) -> None:
    found = read(a_file(tmp_path, "150,100,x,,", "90,30,x,,"))
    assert (found.collateral_usd.tolist(), found.debt_usd.tolist()) == ([150, 90], [100, 30])
    assert found.ratio.tolist() == [1.5, 3.0]
    assert found.lines.tolist() == [2, 3]


@pytest.mark.parametrize("price", ["price", 20.0, 20])
def test_tokens_are_counted_at_a_column_of_prices_or_at_one_price(tmp_path: Path, price: Any) -> None:
    file = a_file(tmp_path, "10,100,x,20,", "5,50,x,20,")
    assert read(file, IN_USD | {"collateral_price_usd": price}).collateral_usd.tolist() == [200, 100]
    assert read(file, {"collateral": "owed", "debt": "locked", "debt_price_usd": price}).debt_usd.tolist() == [200, 100]


def test_collateral_may_be_cash_in_part(tmp_path: Path) -> None:
    found = read(a_file(tmp_path, "10,100,x,20,30", "0,10,x,20,15"), IN_USD | {"collateral_price_usd": "price", "cash_usd": "cash"})
    assert found.collateral_usd.tolist() == [230, 15]


def test_only_rows_with_the_values_asked_for_count(tmp_path: Path) -> None:
    file = a_file(tmp_path, "1,1,a,1,True", "2,1,b,1.0,false", "3,1,b,2,true")
    assert read(file, where={"market": "b"}).collateral_usd.tolist() == [2, 3]
    assert read(file, where={"price": 1}).collateral_usd.tolist() == [1, 2]
    assert read(file, where={"market": "b", "cash": True}).collateral_usd.tolist() == [3]
    assert read(file, where={"market": "b"}).others == 1


def test_rows_that_do_not_count_are_not_checked(tmp_path: Path) -> None:
    assert len(read(a_file(tmp_path, "1,1,a,,", "wrong,-1,b,,"), where={"market": "a"}).debt_usd) == 1


def test_dust_is_left_out_and_counted(tmp_path: Path) -> None:
    found = read(a_file(tmp_path, "9,0,x,,", "9,4.99,x,,", "9,5,x,,"), min_debt_usd=5.0)
    assert (found.debt_usd.tolist(), found.dust) == ([5], 2)


def test_scale_leaves_ratios_as_they_are(tmp_path: Path) -> None:
    found = read(a_file(tmp_path, "150,100,x,,", "90,30,x,,"), scale=0.01)
    assert found.debt_usd.tolist() == [1, 0.3]
    assert found.ratio.tolist() == pytest.approx([1.5, 3.0], rel=1e-15)


def test_of_more_rows_the_largest_debts_are_taken_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = read(a_file(tmp_path, "9,2,x,,", "9,7,x,,", "9,1,x,,", "9,7,x,,", "9,7,x,,"), max_rows=2)
    assert (found.debt_usd.tolist(), found.lines.tolist(), found.beyond) == ([7, 7], [3, 5], 3)


@settings(deadline=None, max_examples=40)
@given(debts=st.lists(st.floats(0, 1e6), min_size=1, max_size=20), most=st.integers(1, 20))
def test_every_row_is_a_position_or_counted(tmp_path_factory: pytest.TempPathFactory, debts: list[float], most: int) -> None:
    file = a_file(tmp_path_factory.mktemp("rows"), *(f"10,{debt!r},x,," for debt in [*debts, 2.0]))
    found = read(file, max_rows=most)
    assert len(found.debt_usd) + found.dust + found.beyond + found.others == len(debts) + 1
    assert found.debt_usd.sum() == pytest.approx(np.sort([debt for debt in [*debts, 2.0] if debt >= 1])[::-1][:most].sum())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,1,m,,", "FILE:3: locked: 'x' is not an amount; write a finite number >= 0"),
        (",1,m,,", "FILE:3: locked: '' is not an amount; write a finite number >= 0"),
        ("1,-1,m,,", "FILE:3: owed: '-1' is not an amount; write a finite number >= 0"),
        ("1,inf,m,,", "FILE:3: owed: 'inf' is not an amount; write a finite number >= 0"),
        ("0,5,m,,", "FILE:3: locked: a debt of 5 USD has no collateral"),
        ("3e7,2,m,,", "FILE:3: locked: 3e+07 USD are more than 1e+06 times the debt of 2 USD"),
        ("1,2", "FILE:3: '1,2' has 2 columns; the header has 5"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path, line: str, said: str) -> None:
    assert faults(a_file(tmp_path, "2,1,m,,", line)) == [said]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": {"collateral": "gold", "debt": "owed"}}, "FILE: column 'gold' is missing; present are "),
        ({"where": {"owner": "me"}}, "FILE: column 'owner' is missing; present are "),
        ({"where": {"market": "y"}}, "FILE: market: no row of 'y'; present are 'm', 'n'"),
        ({"where": {"market": "m", "price": 2}}, "FILE: none of its 2 rows is a position with a debt of 1 USD or more"),
        ({"min_debt_usd": 100.0}, "FILE: none of its 2 rows is a position with a debt of 100 USD or more"),
    ],
)
def test_a_file_without_what_is_asked_for_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert faults(a_file(tmp_path, "2,1,m,1,", "2,1,n,2,"), **changes)[0].startswith(said)


def test_ten_faults_are_enough(tmp_path: Path) -> None:
    told = faults(a_file(tmp_path, *["x,1,m,,"] * 15))
    assert len(told) == 11
    assert told[10] == "FILE: and more"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.csv") == ["FILE: no such file"]
    assert faults(tmp_path / "none.json") == ["FILE: the name ends in '.json'; only .csv and .parquet can be read"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {"collateral": "same", "debt": "same"}},
        {"columns": {"collateral": "a"}},
        {"min_debt_usd": 0.0},
        {"scale": -1.0},
        {"max_rows": 0},
        {"price": 1.0},
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"file": "positions.csv", "columns": IN_USD}
    PositionsFile(**right)
    with pytest.raises(ValidationError):
        PositionsFile(**(right | wrong))
