"""One execution: the interpreter, the state and its journal, the trace of events, branches and iteration."""
