"""The line that is typed."""

from __future__ import annotations

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from border.plain import one_line
from panel.console.recall import Recall
from panel.console.understood import LONGEST_LINE
from panel.widgets.line_input import LineInput


class ConsoleLine(LineInput):
    DEFAULT_CSS = """
    ConsoleLine, ConsoleLine:focus { border: none; height: 1; padding: 0; background: $surface; width: 1fr; }
    """
    BINDINGS = [
        Binding("up", "older", "Older", show=False, tooltip="The line that was typed before"),
        Binding("down", "newer", "Newer", show=False, tooltip="The line that was typed after it"),
        Binding("ctrl+r", "search", "Search", key_display="Ctrl+R", tooltip="The last line that has what is typed"),
        Binding("tab", "take", "Take", show=False, tooltip="Complete, or take what is suggested"),
        Binding("escape", "leave", "Close", key_display="Esc", tooltip="Close the console; the line is kept"),
    ]

    class Left(Message):
        """The person closes the console."""

    class Entered(Message):
        """The person entered a line. It is taken out of the widget at once: keys after it belong to the next one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        # A draft that comes back is gone on with: nothing of it is selected, which the next key would replace.
        super().__init__(
            placeholder="A command in plain words, or help", max_length=LONGEST_LINE, select_on_focus=False
        )
        self.recall = Recall()
        self.suggestion = ""
        """What Tab takes into an empty line."""

    def on_input_changed(self) -> None:
        self.recall.stop()

    async def action_submit(self) -> None:
        text = one_line(self.value)
        self.value = ""
        if text:
            self.suggestion = ""
            self.recall.add(text)
            self.post_message(self.Entered(text))

    def action_older(self) -> None:
        self._show(self.recall.older(self.value))

    def action_newer(self) -> None:
        self._show(self.recall.newer(self.value))

    def action_search(self) -> None:
        """Go to the next older line that has what is typed."""
        found = self.recall.search(self.value)
        if found is None:
            self.app.bell()
        else:
            self._show(found)

    def action_take(self) -> None:
        if not self.value and self.suggestion:
            self.value = self.suggestion
            self.cursor_position = len(self.value)

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def _show(self, line: str) -> None:
        with self.prevent(Input.Changed):
            self.value = line
        self.cursor_position = len(line)
