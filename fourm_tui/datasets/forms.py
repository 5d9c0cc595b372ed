"""What a `data_path` may be, for people."""

from __future__ import annotations

KNOWN_FORMS = """Known are:
- a folder with one folder per modality: ROOT/caption/CLASS/NAME.txt, ROOT/rgb/CLASS/NAME.jpg
- the same with tar shards of equal names: ROOT/caption/SHARD.tar, ROOT/rgb/SHARD.tar
- tar shards, or a folder of them, with members KEY.jpg, KEY.txt, KEY.MODALITY.ENDING: SHARD-{000..099}.tar
- a folder of pictures, with captions beside them (NAME.txt) if there are any
- a text file of captions, one in each line (.txt)
- a table with a column per modality (.tsv, .csv); `Prompt` is a caption
- JSON lines with a key per modality (.jsonl)
- parti_prompts"""
