package dev.remora.core.tokenizer;

/**
 * Cuts long texts as the published code of Moonlight and Kimi-K2 does: every 400,000 characters, and within runs of white
 * space, and of anything else, every 25,000. The cuts show in the ids, so they are part of the tokenizer.
 */
final class TiktokenChunks implements PreTokenizer {
    private static final int MAX_CHUNK = 400_000;
    private static final int MAX_RUN = 25_000;

    @Override
    public void split(char[] text, int from, int to, boolean atStart, PieceConsumer pieces) {
        int start = from;
        int inChunk = 0;
        int inRun = 0;
        boolean runIsSpace = false;
        for (int i = from; i < to; ) {
            int c = Character.codePointAt(text, i, to);
            boolean space = isSpace(c);
            if (inChunk == MAX_CHUNK) {
                pieces.accept(text, start, i, atStart && start == from);
                start = i;
                inChunk = 0;
                inRun = 0;
            }
            inRun = space == runIsSpace ? inRun + 1 : 1;
            runIsSpace = space;
            if (inRun > MAX_RUN) {
                pieces.accept(text, start, i, atStart && start == from);
                start = i;
                inRun = 1;
            }
            inChunk++;
            i += Character.charCount(c);
        }
        pieces.accept(text, start, to, atStart && start == from);
    }

    /** As Python's {@code str.isspace}. */
    private static boolean isSpace(int c) {
        return Character.isSpaceChar(c) || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) || c == 0x85;
    }
}
