package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.JsonObject;

/** Reads tokenizers from the files of a checkpoint, given as bytes, so that they may lie anywhere. */
public final class TokenizerLoader {
    private TokenizerLoader() {}

    /** As {@link #fromJson(byte[], String, JsonObject)}, of a checkpoint without tokenizer_config.json. */
    public static Tokenizer fromJson(byte[] tokenizerJson, String source) {
        return TokenizerJson.read(tokenizerJson, source, null);
    }

    /**
     * Reads {@code tokenizer.json}.
     *
     * @param source name of the file, for error messages
     * @param config the parsed {@code tokenizer_config.json}
     * @throws CheckpointException if the file is broken
     * @throws UnsupportedModelException if it asks for a component that this version lacks; the message names it
     */
    public static Tokenizer fromJson(byte[] tokenizerJson, String source, JsonObject config) {
        return TokenizerJson.read(tokenizerJson, source, config);
    }

    /**
     * Reads {@code tiktoken.model} as Moonlight and Kimi-K2 publish it: a base64 token and its rank on each line, added
     * tokens in {@code added_tokens_decoder} of the config, 256 ids behind the ranks reserved for them. The pattern that
     * cuts words is that of these models.
     *
     * @param source name of the file, for error messages
     * @param config the parsed {@code tokenizer_config.json}
     * @throws CheckpointException if the file is broken
     * @throws UnsupportedModelException if the config names another tokenizer class
     */
    public static Tokenizer fromTiktoken(byte[] ranks, String source, JsonObject config) {
        return TiktokenModel.read(ranks, source, config);
    }
}
