package dev.remora.models.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.remora.models.Llm;
import dev.remora.models.LoadOptions;
import dev.remora.models.eval.Answer.Verdict;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class AnswerTest {
    private static final int EOS = 1;

    private static Llm llm;

    @BeforeAll
    static void load() {
        llm = Llm.bundled(LoadOptions.defaults().withThreads(1));
    }

    @AfterAll
    static void close() {
        llm.close();
    }

    private static Answer expecting(String text) {
        return new Answer(llm, new LabelledText("math", Optional.of("?"), text, "here"));
    }

    private static Verdict say(Answer answer, String text) {
        for (int id : llm.tokenizer().encodeOrdinary(text)) {
            answer.add(id);
        }
        return answer.verdict();
    }

    @Test
    void theEndDecides() {
        Answer answer = expecting("4 + 4 = 8");
        assertEquals(Verdict.OPEN, say(answer, "4 + 4 = 8"));
        answer.add(EOS);
        assertEquals(Verdict.MATCHING, answer.verdict());
        answer.add(5);
        assertEquals(Verdict.MATCHING, answer.verdict(), "what comes later does not count");
        Answer full = expecting("4 + 4 = 8");
        say(full, "4 + 4 = 8");
        full.end();
        assertEquals(Verdict.MATCHING, full.verdict(), "the context is full");
    }

    @Test
    void whiteSpaceAroundDoesNotCount() {
        Answer answer = expecting(" 4 + 4\n");
        assertEquals(Verdict.OPEN, say(answer, "\n 4 + 4  "));
        answer.add(EOS);
        assertEquals(Verdict.MATCHING, answer.verdict());
        assertEquals(Verdict.OTHER, say(expecting("4 + 4"), "4  + 4"), "inside it does");
    }

    @Test
    void whatCannotMatchAnyMoreIsDecidedAtOnce() {
        assertEquals(Verdict.OTHER, say(expecting("4 + 4 = 8"), "4 - "));
        assertEquals(Verdict.OTHER, say(expecting("4 + 4 = 8"), "4 + 4 = 80"));
        Answer shorter = expecting("4 + 4 = 8");
        say(shorter, "4 + 4 =");
        shorter.add(EOS);
        assertEquals(Verdict.OTHER, shorter.verdict());
    }

    @Test
    void anotherTokenizationIsTheSameText() {
        Answer answer = expecting("the cat");
        for (char c : "the cat".toCharArray()) {
            assertEquals(Verdict.OPEN, say(answer, String.valueOf(c)));
        }
        answer.add(EOS);
        assertEquals(Verdict.MATCHING, answer.verdict());
    }
}
