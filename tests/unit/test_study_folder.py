"""The folder of a study: one writer, nothing thrown away that was not finished, gone on with when asked."""

import pytest
from made_up import MadeUp, quick_disk, small

from seawall.protocols.errors import ScenarioError
from seawall.scenarios.parts import Part
from seawall.studies.folder_lock import FolderInUse
from seawall.studies.seal import MANIFEST
from seawall.studies.study_file import read_study
from seawall.studies.study_folder import TRIALS, StudyInterrupted, UnfinishedStudy, study_folder
from seawall.studies.trials import Trial, Trials


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    quick_disk(monkeypatch)


def play(folder, *, resume=False, stop_after=None, finish=True):
    """A study of one trial with 30 paths; how many jobs were played."""
    players = MadeUp(lambda loaded, path: {"x": 1.0}, stop_after=stop_after)
    with study_folder(folder, resume=resume) as place:
        Trials(place, 3, players, 10).bring({Trial((small(folder.parent),), (1.0,)): 30})
    if finish:
        (folder / MANIFEST).write_text("{}")
    return len(players.jobs)


def test_trials_go_into_their_own_folder(tmp_path):
    assert play(tmp_path / "study") == 3
    assert len(list((tmp_path / "study" / TRIALS).rglob("paths-*.parquet"))) == 3


def test_ctrl_c_keeps_what_was_played_and_says_how_to_go_on(tmp_path):
    with pytest.raises(StudyInterrupted, match=r"Interrupted; 20 paths are kept. The same command with --resume goes on"):
        play(tmp_path / "study", stop_after=2)
    assert play(tmp_path / "study", resume=True) == 1


def test_an_unfinished_study_is_not_thrown_away(tmp_path):
    with pytest.raises(StudyInterrupted):
        play(tmp_path / "study", stop_after=2)
    with pytest.raises(UnfinishedStudy, match="holds 20 paths of a study that was not finished; go on with --resume"):
        play(tmp_path / "study")


def test_a_finished_one_is_played_anew_unless_it_is_to_be_kept(tmp_path):
    assert [play(tmp_path / "study", resume=resume) for resume in (False, False, True)] == [3, 3, 0]


def test_a_study_at_work_has_no_manifest(tmp_path):
    play(tmp_path / "study")
    with study_folder(tmp_path / "study", resume=True):
        assert not (tmp_path / "study" / MANIFEST).exists()


def test_nobody_else_writes_there_meanwhile(tmp_path):
    with study_folder(tmp_path / "study", resume=False), pytest.raises(FolderInUse), study_folder(tmp_path / "study", resume=False):
        pass


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "study" / TRIALS).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a link"), study_folder(tmp_path / "study", resume=False):
        pass


class Kind(Part):
    """Some kind of study."""

    name: str


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name: x\nnmae: y\n", r"study.yaml:2: nmae: is not a key here; did you mean name\?"),
        (b"name: \xff\n", "is not UTF-8 text"),
        (b"- 1\n", "a list of `key: value` lines belongs here"),
        (b"name: x" + b" " * 1_048_576, "larger than"),
    ],
)
def test_faults_of_a_study_file_name_file_line_and_key(tmp_path, content, said):
    (tmp_path / "study.yaml").write_bytes(content)
    with pytest.raises(ScenarioError, match=said):
        read_study(tmp_path / "study.yaml", Kind)


def test_a_study_is_read_with_its_text(tmp_path):
    (tmp_path / "study.yaml").write_text("name: x\n")
    assert read_study(tmp_path / "study.yaml", Kind) == (Kind(name="x"), "name: x\n")
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_study(tmp_path / "none.yaml", Kind)
