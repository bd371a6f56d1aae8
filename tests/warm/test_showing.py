"""Progress: rates, remaining time, lines and a bar."""

import io

from dvidpc.warm.outcome import MAX_NAMED, Outcome
from dvidpc.warm.showing import Bar, Lines, Moment, Speed, showing_on

MIB = 2**20


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def speed_of(*moments: Moment) -> Speed:
    speed = Speed(moments[0])
    for moment in moments[1:]:
        speed.note(moment)
    return speed


def test_a_line_has_rates_and_the_time_left() -> None:
    speed = speed_of(Moment(5, 0, 0), Moment(15, 200, 20 * MIB))
    assert speed.describe(1000) == (
        "200 of 1,000 chunks (20 %), 2.0 MiB/s from the bucket, 20 chunks/s, 40 s left"
    )


def test_rates_are_those_of_the_last_while() -> None:
    """What is on disk already goes by fast; it must not make the rest look short."""
    moments = [Moment(0, 0, 0), Moment(10, 100_000, 0)]
    moments += [Moment(10 + second, 100_000 + second, second * MIB) for second in range(1, 61)]
    assert (
        speed_of(*moments).describe(100_120).endswith("1.0 MiB/s from the bucket, 1 chunks/s, 1 min 0 s left")
    )


def test_nothing_is_guessed_before_anything_is_read() -> None:
    assert speed_of(Moment(5, 0, 0)).describe(10) == "0 of 10 chunks (0 %)"
    waiting = speed_of(Moment(5, 3, 0), Moment(9, 3, 0)).describe(10)
    assert waiting == "3 of 10 chunks (30 %), 0 bytes/s from the bucket, waiting"
    assert speed_of(Moment(5, 0, 0)).describe(0) == "0 of 0 chunks (0 %)"


def test_a_file_gets_lines_and_a_terminal_a_bar() -> None:
    file = io.StringIO()
    lines = showing_on(file)
    assert isinstance(lines, Lines)
    lines.show("em scale 2", speed_of(Moment(0, 0, 0), Moment(1, 5, 5)), 5, 10)
    lines.close()
    assert file.getvalue() == (
        "em scale 2: 5 of 10 chunks (50 %), 5 bytes/s from the bucket, 5 chunks/s, 1 s left\n"
    )
    terminal = Terminal()
    bar = showing_on(terminal)
    assert isinstance(bar, Bar)
    bar.show("em [2]", speed_of(Moment(0, 0, 0), Moment(1, 5, 5)), 5, 10)
    bar.close()
    assert "em [2]" in terminal.getvalue()
    assert "5 of 10 chunks" in terminal.getvalue()


def test_a_summary_says_what_became_of_every_chunk() -> None:
    outcome = Outcome(absent=3, oversize=1, bucket_bytes=3 * MIB)
    outcome.note_stored(2000, is_fetched=True)
    outcome.note_stored(1000, is_fetched=False)
    for number in range(MAX_NAMED + 2):
        outcome.note_failed(f"{number}")
    assert outcome.named == ["0", "1", "2", "3", "4"]
    assert outcome.done == 13
    assert outcome.summary(13, 7, 61) == (
        "13 chunks in 1 min 1 s: 1 read from the bucket (3.0 MiB, 7 requests), 1 on disk already, 3 not "
        "stored in the volume, 7 failed"
    )
    assert outcome.summary(1300, 1, 1).startswith("13 of 1,300 chunks in 1 s: ")
