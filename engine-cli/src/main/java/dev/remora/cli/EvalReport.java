package dev.remora.cli;

import dev.remora.models.eval.LabelledCorpus;
import dev.remora.models.eval.PolicyResult;
import java.util.List;
import java.util.Locale;

/**
 * What {@code remora eval} found.
 *
 * @param model   its name
 * @param corpus  that was asked
 * @param results the exact router's before those that are compared with it
 */
record EvalReport(String model, LabelledCorpus corpus, List<PolicyResult> results) {
    /** {@code decoded} or {@code prompt}. */
    static String reading(PolicyResult result) {
        return result.reading().name().toLowerCase(Locale.ROOT);
    }
}
