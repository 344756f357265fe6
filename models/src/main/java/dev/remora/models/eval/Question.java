package dev.remora.models.eval;

import dev.remora.core.ContextOverflowException;
import dev.remora.models.Llm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A labelled text, ready to be asked. Immutable. */
final class Question {
    private final LabelledText text;
    private final int[] ids;
    private final int from;
    private final boolean judged;

    private Question(LabelledText text, int[] ids, int from, boolean judged) {
        this.text = text;
        this.ids = ids;
        this.from = from;
        this.judged = judged;
    }

    /** @throws ContextOverflowException if a text is longer than the context */
    static List<Question> of(Llm llm, LabelledCorpus corpus) {
        List<Question> questions = new ArrayList<>();
        int room = llm.info().contextLength();
        for (LabelledText text : corpus.texts()) {
            RenderedText rendered = RenderedText.of(llm, text);
            int[] ids = rendered.ids();
            if (ids.length > room) {
                throw new ContextOverflowException(text.source() + ": expected at most " + room
                        + " tokens, which the context holds, found " + ids.length + ". Load the model with a longer"
                        + " context (this one: up to " + llm.info().maxContextLength() + "), or shorten the text");
            }
            // Something stands before what is expected, also where there is no BOS token.
            int from = Math.min(ids.length, Math.max(1, rendered.prompt().length));
            questions.add(new Question(text, ids, from, corpus.ontology().judgedExactly(text)));
        }
        return questions;
    }

    LabelledText text() {
        return text;
    }

    /** All ids: what is given and what is expected. */
    int length() {
        return ids.length;
    }

    int id(int position) {
        return ids[position];
    }

    /** The first ids, a copy. */
    int[] first(int count) {
        return Arrays.copyOf(ids, count);
    }

    /** Where what is expected begins. */
    int from() {
        return from;
    }

    /** Tokens whose probability is asked for. */
    int tokens() {
        return ids.length - from;
    }

    /** True if there is a question; a text that stands by itself is no answer. */
    boolean asked() {
        return text.question().isPresent();
    }

    /** True if there is one right answer. */
    boolean judged() {
        return judged;
    }
}
