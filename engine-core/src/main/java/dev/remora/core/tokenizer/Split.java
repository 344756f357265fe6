package dev.remora.core.tokenizer;

/**
 * Cuts at the matches of a pattern.
 *
 * @param invert swap matches and the stretches between them
 */
record Split(TextPattern pattern, SplitBehavior behavior, boolean invert) implements PreTokenizer {

    @Override
    public void split(char[] text, int from, int to, boolean atStart, PieceConsumer pieces) {
        Cutter cutter = new Cutter(text, from, atStart, pieces);
        pattern.forEachMatch(text, from, to, cutter);
        cutter.finish(to);
    }

    /** Receives the matches in order, completes them with the stretches between, and joins both to pieces. */
    private final class Cutter implements TextPattern.MatchConsumer {
        private final char[] text;
        private final int begin;
        private final boolean atStart;
        private final PieceConsumer pieces;
        private int covered;
        private int pieceStart;
        private boolean lastIsMatch;
        private boolean open;

        Cutter(char[] text, int begin, boolean atStart, PieceConsumer pieces) {
            this.text = text;
            this.begin = begin;
            this.atStart = atStart;
            this.pieces = pieces;
            covered = begin;
        }

        @Override
        public void accept(int start, int end) {
            if (start > covered) {
                stretch(start, invert);
            }
            stretch(end, !invert);
        }

        void finish(int end) {
            if (end > covered) {
                stretch(end, invert);
            }
            emit();
        }

        /** The stretch from {@code covered} to {@code end}. */
        private void stretch(int end, boolean isMatch) {
            if (!open || !behavior.joins(lastIsMatch, isMatch)) {
                emit();
                pieceStart = covered;
                open = true;
            }
            lastIsMatch = isMatch;
            covered = end;
        }

        private void emit() {
            if (covered > pieceStart && open && !(lastIsMatch && behavior == SplitBehavior.REMOVED)) {
                pieces.accept(text, pieceStart, covered, atStart && pieceStart == begin);
            }
        }
    }
}
