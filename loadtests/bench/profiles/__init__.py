"""Where the time goes: samples of the processes behind an answer, folded into layers a reader knows."""
