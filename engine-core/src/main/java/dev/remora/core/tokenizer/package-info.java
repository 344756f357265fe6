/**
 * Text to token ids and back: byte pair encoding as published in {@code tokenizer.json} and {@code tiktoken.model}.
 *
 * <p>Start at {@link dev.remora.core.tokenizer.TokenizerLoader}, which reads a file into a {@link
 * dev.remora.core.tokenizer.Tokenizer}. The path of a text: {@code AddedTokenMatcher} cuts out control tokens, {@code
 * Normalizer} rewrites what is left, {@code PreTokenizer}s cut it into words, {@code BytePairEncoder} merges each word
 * into ids. The way back is a {@code TokenDecoder}, the same for whole texts and for streams.
 *
 * <p>Never here: chat templates, model files, sampling.
 */
package dev.remora.core.tokenizer;
