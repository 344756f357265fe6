package dev.remora.core.tokenizer;

/**
 * What becomes of a symbol that the vocabulary lacks: the unknown token or, where the file names none, nothing, as in the
 * reference.
 *
 * @param id the unknown token's id, or -1
 * @param fuse one token for several unknown symbols in a row
 */
record UnknownSymbol(int id, boolean fuse) {

    Run newRun(Merger word) {
        return new Run(word);
    }

    /** The symbols of one word. */
    final class Run {
        private final Merger word;
        private boolean pending;

        private Run(Merger word) {
            this.word = word;
        }

        void known(int symbol) {
            finish();
            word.add(symbol);
        }

        void unknown() {
            if (!fuse) {
                finish();
            }
            pending = id >= 0;
        }

        /** Adds an unknown token that waits for others to fuse with. */
        void finish() {
            if (pending) {
                word.add(id);
                pending = false;
            }
        }
    }
}
