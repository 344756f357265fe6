package dev.remora.models.eval;

import java.util.Objects;
import java.util.Optional;

/**
 * One text of a known kind.
 *
 * @param label    of the {@link Ontology}
 * @param question what the text answers; empty if it stands by itself
 * @param text     the answer, or the text that stands by itself
 * @param source   where it stands, for messages: file and line
 */
public record LabelledText(String label, Optional<String> question, String text, String source) {
    public LabelledText {
        Objects.requireNonNull(label, "label");
        Objects.requireNonNull(question, "question");
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(source, "source");
    }

    /** True if this is the expected answer, letter for letter, but for white space around it. */
    public boolean matches(String answer) {
        return text.strip().equals(answer.strip());
    }
}
