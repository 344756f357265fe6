package dev.remora.models.eval;

import dev.remora.core.sampling.Divergence;
import dev.remora.core.sampling.Greedy;
import dev.remora.core.sampling.LogSoftmax;
import dev.remora.models.Llm;
import dev.remora.models.Session;
import dev.remora.models.eval.PolicyResult.Reading;

/** Asks one question after the other, under whatever policy is in force. */
final class TextReader {
    private final Llm llm;
    private final Session session;
    private final Reading reading;
    private final Yardstick yardstick;
    private final Runnable checkCancelled;
    private final float[] logits;
    private final float[] exact;
    private final int[] one = new int[1];
    private Use use;
    private double surprise;
    private double divergence;
    private long agreeing;

    /** What the yardstick is for. */
    enum Use {
        NOTHING,
        WRITE,
        COMPARE
    }

    /** @param checkCancelled throws if nothing more should be read; asked at every token */
    TextReader(Llm llm, Session session, Reading reading, Yardstick yardstick, Runnable checkCancelled) {
        this.llm = llm;
        this.session = session;
        this.reading = reading;
        this.yardstick = yardstick;
        this.checkCancelled = checkCancelled;
        logits = new float[llm.info().vocabSize()];
        exact = new float[logits.length];
    }

    /**
     * Asks a question: how probable is the expected answer, and what does the model answer by itself?
     *
     * @param index of the text in its corpus
     */
    Quality read(int index, Question question, Use newUse) {
        use = newUse;
        surprise = 0;
        divergence = 0;
        agreeing = 0;
        session.truncate(0);
        boolean matching = false;
        if (question.tokens() > 0) {
            Answer answer = new Answer(llm, question.text());
            if (reading == Reading.DECODED) {
                decode(question, answer);
            } else {
                readAtOnce(question, answer);
            }
            matching = question.asked() && answer.verdict() == Answer.Verdict.MATCHING;
        }
        boolean right = question.judged() && matching;
        boolean before = use == Use.COMPARE ? yardstick.right(index) : right;
        if (use == Use.WRITE) {
            yardstick.judge(index, right);
        }
        return new Quality(
                1,
                question.asked() ? 1 : 0,
                matching ? 1 : 0,
                question.judged() ? 1 : 0,
                right ? 1 : 0,
                before && !right ? 1 : 0,
                right && !before ? 1 : 0,
                question.tokens(),
                surprise,
                divergence,
                agreeing);
    }

    /**
     * The expected answer token by token. As long as the model would say the same, that is what it answers; where it first
     * would not, its own answer goes on from there afterwards.
     */
    private void decode(Question question, Answer answer) {
        int last = question.length() - 1;
        int branch = -1;
        int own = question.id(last);
        session.read(question.first(question.from()), logits);
        for (int i = question.from(); i <= last; i++) {
            int best = score(logits, question.id(i));
            if (branch < 0) {
                answer.add(best);
                if (best != question.id(i)) {
                    branch = i;
                    own = best;
                }
            }
            if (i < last) {
                step(question.id(i));
            }
        }
        if (question.asked()) {
            goOn(answer, branch < 0 ? last : branch, own);
        }
    }

    private void readAtOnce(Question question, Answer answer) {
        checkCancelled.run();
        session.score(question.first(question.length() - 1), (index, row) -> {
            if (index + 1 >= question.from()) {
                score(row, question.id(index + 1));
            }
        });
        if (question.asked()) {
            session.read(question.first(question.from()), logits);
            int own = Greedy.choice(logits, 0, logits.length);
            answer.add(own);
            goOn(answer, question.from(), own);
        }
    }

    /** Generates until the answer is judged, where {@code id} stands at {@code position}. */
    private void goOn(Answer answer, int position, int id) {
        int next = id;
        if (answer.verdict() == Answer.Verdict.OPEN) {
            session.truncate(position);
        }
        while (answer.verdict() == Answer.Verdict.OPEN) {
            if (session.position() == session.contextLength()) {
                answer.end();
            } else {
                step(next);
                next = Greedy.choice(logits, 0, logits.length);
                answer.add(next);
            }
        }
    }

    private void step(int id) {
        checkCancelled.run();
        one[0] = id;
        session.read(one, logits);
    }

    /** Adds what a row of logits says about the token that follows; gives the one it would choose itself. */
    private int score(float[] row, int expected) {
        double normaliser = LogSoftmax.logSumExp(row, 0, row.length);
        int best = Greedy.choice(row, 0, row.length);
        surprise += normaliser - row[expected];
        if (use == Use.COMPARE) {
            yardstick.read(exact);
            divergence += Divergence.kl(exact, 0, row, 0, row.length);
            agreeing += Greedy.choice(exact, 0, exact.length) == best ? 1 : 0;
        } else {
            agreeing++;
        }
        if (use == Use.WRITE) {
            yardstick.write(row);
        }
        return best;
    }
}
