package dev.remora.core.tokenizer;

/** Rewrites a text before it is cut into words. Immutable. */
@FunctionalInterface
interface Normalizer {
    String normalize(String text);

    /** One after another. */
    default Normalizer then(Normalizer next) {
        return text -> next.normalize(normalize(text));
    }
}
