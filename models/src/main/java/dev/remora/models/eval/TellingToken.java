package dev.remora.models.eval;

/**
 * A token that meets an expert more often than others do.
 *
 * @param id    of the token
 * @param text  that it stands for
 * @param count how often the token met the expert
 * @param total how often the token was seen
 * @param pmi   pointwise mutual information in bits: log2 of how much more often the token met the expert than a token
 *     in general
 */
public record TellingToken(int id, String text, long count, long total, double pmi) {}
