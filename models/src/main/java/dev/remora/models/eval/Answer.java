package dev.remora.models.eval;

import dev.remora.core.tokenizer.StreamingDecoder;
import dev.remora.models.Llm;
import java.util.List;

/** An answer that is being generated beside the expected one. Whether it matches is decided as early as possible. */
final class Answer {
    private final LabelledText expected;
    private final List<Integer> eos;
    private final StreamingDecoder decoder;
    private final StringBuilder text = new StringBuilder();
    private Verdict verdict = Verdict.OPEN;

    enum Verdict {
        OPEN,
        MATCHING,
        OTHER
    }

    Answer(Llm llm, LabelledText expected) {
        this.expected = expected;
        eos = llm.info().specialIds().eos();
        decoder = llm.tokenizer().newDecoder(true);
    }

    /** Takes the next id, if nothing is decided yet. */
    void add(int id) {
        if (verdict != Verdict.OPEN) {
            return;
        }
        if (eos.contains(id)) {
            end();
            return;
        }
        text.append(decoder.push(id));
        // White space around an answer does not count; what is missing behind this beginning may still come.
        if (!expected.text().strip().startsWith(text.toString().strip())) {
            verdict = Verdict.OTHER;
        }
    }

    /** No id follows. */
    void end() {
        if (verdict == Verdict.OPEN) {
            text.append(decoder.flush());
            verdict = expected.matches(text.toString()) ? Verdict.MATCHING : Verdict.OTHER;
        }
    }

    Verdict verdict() {
        return verdict;
    }
}
