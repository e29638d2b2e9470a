"""Files of paths: read as they were written, to the last bit, or not at all."""

import os
from dataclasses import replace

import pandas as pd
import pytest
from ensembles import FAILED, outcome

from seawall.studies.chunks import SpoiltChunkError, divide, read_chunk, units_of, write_chunk
from seawall.studies.seal import ROOM, is_stamped, stamped

PATHS = range(FAILED - 1, FAILED + 2)
EVERY = 37  # of the bits of a file, which has 140,000: each byte in turn, and other bits of it than of the byte before


@pytest.fixture
def chunk(tmp_path):
    found = divide(tmp_path, PATHS, len(PATHS), "abc")[0]
    write_chunk(found, [replace(outcome(3, path), series={}) for path in PATHS])
    return found


def test_a_chunk_is_read_as_it_was_written_by_others_too(chunk):
    expected = [outcome(3, path).figures.get("liquidated_debt_usd") for path in PATHS]
    for found in (read_chunk(chunk).to_pandas(), pd.read_parquet(chunk.file)):
        assert found["path"].tolist() == list(PATHS)
        assert found["error_type"].isna().tolist() == [True, False, True]
        assert found["figure.liquidated_debt_usd"].dropna().tolist() == [each for each in expected if each is not None]
    assert read_chunk(chunk, ["log_weight", "unknown"]).column_names == ["path", "log_weight"]
    assert units_of(read_chunk(chunk, []))["bad_debt_usd"] == ("solvency", "USD")


def test_every_flipped_bit_of_a_chunk_is_found(chunk):
    whole = chunk.file.read_bytes()
    for bit in range(0, 8 * len(whole), EVERY):
        place, value = bit // 8, whole[bit // 8] ^ 1 << bit % 8
        chunk.file.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
        with pytest.raises(SpoiltChunkError, match=chunk.file.name):
            read_chunk(chunk)
    chunk.file.write_bytes(whole)
    read_chunk(chunk)


def test_every_byte_of_the_place_of_the_digest_and_of_the_end_counts(chunk):
    whole = chunk.file.read_bytes()
    mark = whole.rindex(b"sha256:")
    for place in (*range(mark, mark + len(ROOM)), *range(len(whole) - 64, len(whole))):
        chunk.file.write_bytes(whole[:place] + bytes([whole[place] ^ 32]) + whole[place + 1 :])  # of a letter, the capital
        with pytest.raises(SpoiltChunkError, match="its SHA-256 digest is another than the one in it"):
            read_chunk(chunk)


def test_every_length_but_the_whole_is_found(chunk):
    whole = chunk.file.read_bytes()
    for content in (*(whole[:length] for length in range(0, len(whole), 97)), whole[:-1], whole + b"\0", whole + whole):
        chunk.file.write_bytes(content)
        with pytest.raises(SpoiltChunkError, match=chunk.file.name):
            read_chunk(chunk)


def test_a_chunk_without_a_digest_is_not_taken(chunk):
    pd.read_parquet(chunk.file).to_parquet(chunk.file)
    with pytest.raises(SpoiltChunkError, match="digest"):
        read_chunk(chunk)


def test_what_is_no_file_is_not_waited_for(chunk):
    chunk.file.unlink()
    os.mkfifo(chunk.file)
    with pytest.raises(SpoiltChunkError, match="it is no file"):
        read_chunk(chunk)


def test_a_chunk_that_was_forged_with_a_digest_is_named(chunk):
    chunk.file.write_bytes(stamped(b"PAR1" + ROOM + b"PAR1"))
    with pytest.raises(SpoiltChunkError, match=r"paths-.* cannot be read: "):
        read_chunk(chunk)


def test_a_whole_chunk_of_others_is_not_taken(chunk):
    with pytest.raises(SpoiltChunkError, match="belongs to another ensemble"):
        read_chunk(replace(chunk, ensemble="abd"))
    other = replace(chunk, first=chunk.first + 1, last=chunk.last + 1)
    chunk.file.rename(other.file)
    with pytest.raises(SpoiltChunkError, match=f"does not hold paths {other.first} to {other.last}"):
        read_chunk(other)
    with pytest.raises(FileNotFoundError):
        read_chunk(chunk)


def test_a_name_with_the_words_of_a_digest_does_no_harm(chunk):
    words = ROOM.decode() + " sha256:"
    error = replace(outcome(3, FAILED), path=PATHS[0], error=("Strange", words))
    named = replace(outcome(3, PATHS[1], None), path=PATHS[1], figures={words: 1.0}, units={words: (words, words)}, series={}, error=None)
    write_chunk(chunk, [error, named, replace(error, path=PATHS[2])])
    assert read_chunk(chunk)["error"][0].as_py() == words
    assert units_of(read_chunk(chunk))[words] == (words, words)


def test_a_file_is_stamped_once_and_in_its_last_room():
    content = b"sha256:" + ROOM + b"end"
    assert not is_stamped(content)
    assert is_stamped(stamped(content))
    with pytest.raises(ValueError, match="no room"):
        stamped(stamped(b"begin" + ROOM))
