package dev.remora.cli;

import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The library names an option as Java does; here its errors get the name that the user typed. */
final class OptionNames {
    private static final Pattern FIRST_WORD = Pattern.compile("^[a-zA-Z]+");
    private static final Map<String, String> TYPED = Map.ofEntries(
            Map.entry("ids", "--ids"),
            Map.entry("threads", "--threads"),
            Map.entry("contextLength", "--ctx"),
            Map.entry("activations", "--activations"),
            Map.entry("policy", "--policy"),
            Map.entry("target", "--target"),
            Map.entry("guard", "--guard"),
            Map.entry("expertMemory", "--expert-memory"),
            Map.entry("expertProfile", "--expert-profile"),
            Map.entry("fp8Copies", "--fp8-copies"),
            Map.entry("prompt", "--prompt"),
            Map.entry("generate", "--generate"),
            Map.entry("depth", "--depth"),
            Map.entry("batch", "--batch"),
            Map.entry("repetitions", "--repetitions"),
            Map.entry("probeBytes", "--read-memory"),
            Map.entry("to", "--to"),
            Map.entry("expertMajor", "--expert-major"),
            Map.entry("maxTokens", "--max-tokens"),
            Map.entry("stopStrings", "--stop"),
            Map.entry("temperature", "--temperature"),
            Map.entry("topK", "--top-k"),
            Map.entry("topP", "--top-p"),
            Map.entry("minP", "--min-p"),
            Map.entry("repetitionPenalty", "--repetition-penalty"),
            Map.entry("frequencyPenalty", "--frequency-penalty"),
            Map.entry("presencePenalty", "--presence-penalty"),
            Map.entry("logitBias", "--logit-bias"));

    private OptionNames() {}

    /** Runs a library call whose arguments came from the user, so that wrong ones are the user's to mend. */
    static <T> T translate(Supplier<T> call) {
        try {
            return call.get();
        } catch (IllegalArgumentException e) {
            Matcher word = FIRST_WORD.matcher(String.valueOf(e.getMessage()));
            if (word.find() && TYPED.containsKey(word.group())) {
                throw new UsageException(word.replaceFirst(TYPED.get(word.group())), e);
            }
            throw e;
        }
    }
}
