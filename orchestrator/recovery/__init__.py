"""At the orchestrator's start: finish or undo what was interrupted, and rebuild a journal that was lost."""
