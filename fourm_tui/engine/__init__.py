"""The engine: loaded models, conditions and a schedule in, events and a run folder out."""
