package dev.remora.core.tokenizer;

/** What becomes of the matches of a {@link Split}, named as in tokenizer.json. */
enum SplitBehavior {
    /** Each match and each stretch between matches is a piece. */
    ISOLATED,
    /** Matches are dropped. */
    REMOVED,
    /** A match ends the piece before it, unless that is a match, too. */
    MERGED_WITH_PREVIOUS,
    /** A match begins the piece after it, unless that is a match, too. */
    MERGED_WITH_NEXT,
    /** Matches that follow each other are one piece. */
    CONTIGUOUS;

    /** Whether a stretch belongs to the same piece as the one before it. */
    boolean joins(boolean previousIsMatch, boolean isMatch) {
        return switch (this) {
            case ISOLATED, REMOVED -> false;
            case MERGED_WITH_PREVIOUS -> isMatch && !previousIsMatch;
            case MERGED_WITH_NEXT -> !isMatch && previousIsMatch;
            case CONTIGUOUS -> isMatch == previousIsMatch;
        };
    }
}
