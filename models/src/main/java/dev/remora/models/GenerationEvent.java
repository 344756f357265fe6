package dev.remora.models;

/** What happens while text is generated. The texts of all events, joined, are the text of the generation. */
public sealed interface GenerationEvent {
    /**
     * A token was generated.
     *
     * @param id of the token
     * @param text that became certain with it; empty while a character is incomplete, while it could belong to a stop
     *     string, for a stop token, and for a model without a tokenizer
     * @param logProbability natural logarithm of the token's probability under the model's own distribution, before
     *     penalties, temperature and cuts
     */
    record Token(int id, String text, float logProbability) implements GenerationEvent {}

    /**
     * Text that was held back and is released at the end.
     *
     * @param text never empty
     */
    record Text(String text) implements GenerationEvent {}

    /** The last event of every generation that ran to its end. */
    record Finished(FinishReason reason, Usage usage) implements GenerationEvent {}
}
