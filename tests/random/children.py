"""Child processes that answer lines of JSON: both ranks of DistributedDataParallel, and gradscan."""
from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for an answer


class Child:
    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def ask(self, question: dict[str, Any]) -> None:
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() tells

    def answer(self, patience: float = PATIENCE) -> dict[str, Any] | None:
        """None if the child has ended, or takes too long."""
        try:
            line = self.lines.get(timeout=patience)
        except queue.Empty:
            return None
        return json.loads(line) if line else None

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Ranks:
    """Two ranks. They may be asked several questions before the first is answered; they are replaced when they hang."""

    def __init__(self, folder: Path, program: str = "measure.py") -> None:
        self.folder, self.program = folder, Path(__file__).with_name(program)
        self.waiting: deque[dict[str, Any]] = deque()
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        store = self.folder / f"store{self.starts}"
        self.children = [Child(sys.executable, str(self.program), str(rank), str(store)) for rank in (0, 1)]

    def ask(self, question: dict[str, Any]) -> None:
        self.waiting.append(question)
        for child in self.children:
            child.ask(question)

    def answers(self) -> list[dict[str, Any]] | None:
        """Both ranks' to the question asked first; None if they hang over it."""
        answers = [child.answer() for child in self.children]
        self.waiting.popleft()
        if None not in answers:
            return answers
        self.stop()
        self.start()
        for question in self.waiting:
            for child in self.children:
                child.ask(question)
        return None

    def stop(self) -> None:
        for child in self.children:
            child.stop()
