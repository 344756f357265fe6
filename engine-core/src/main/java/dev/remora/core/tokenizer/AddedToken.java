package dev.remora.core.tokenizer;

/**
 * A token that is recognised in the text before anything else happens to it.
 *
 * @param id its id
 * @param content its text, not empty
 * @param singleWord only where no word character stands beside it
 * @param lstrip takes the white space before it along
 * @param rstrip takes the white space after it along
 * @param normalized looked for in the normalised text, not in the raw one
 * @param special a control token: decoders may leave it out
 */
record AddedToken(
        int id,
        String content,
        boolean singleWord,
        boolean lstrip,
        boolean rstrip,
        boolean normalized,
        boolean special) {}
