package dev.remora.core.tokenizer;

import java.util.OptionalInt;

/**
 * The tokens that begin, end and pad a sequence, from tokenizer_config.json, or from the post-processor of
 * tokenizer.json where the former is silent.
 *
 * @param bos begins a sequence; empty if the files name none that the vocabulary knows
 * @param eos ends a sequence
 * @param pad fills a batch
 * @param addBos whether the reference implementation puts {@code bos} before a plain prompt
 * @param addEos whether it puts {@code eos} after it
 */
public record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt pad, boolean addBos, boolean addEos) {}
