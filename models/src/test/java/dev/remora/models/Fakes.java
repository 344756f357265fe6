package dev.remora.models;

import dev.remora.core.CacheFormat;
import dev.remora.core.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/** Models for tests: a fake forward pass, with the bundled model's tokenizer or none. */
final class Fakes {
    static final int VOCAB = 1792;
    static final int EOS = 1;
    static final TextModel TINY = TextModel.bundled();

    private Fakes() {}

    static Llm withoutText(FakeStepRunner runner) {
        return llm(runner, TextModel.of(null, null), new AtomicInteger());
    }

    static Llm withText(FakeStepRunner runner) {
        return llm(runner, TINY, new AtomicInteger());
    }

    static Llm llm(FakeStepRunner runner, TextModel text, AtomicInteger released) {
        ModelInfo info = new ModelInfo(
                "fake",
                "FakeForCausalLM",
                "fake",
                Map.of("vocab_size", runner.vocabSize()),
                runner.vocabSize(),
                4096,
                1024,
                1,
                1,
                1,
                CacheFormat.F32,
                4,
                List.of(),
                List.of(),
                new ModelInfo.SpecialIds(OptionalInt.of(0), List.of(EOS), OptionalInt.empty()));
        GenerationConfig config = new GenerationConfig(
                OptionalInt.of(0),
                List.of(EOS),
                OptionalInt.empty(),
                SamplingParams.defaults().withTemperature(0.7f).withTopP(0.95f));
        return new Llm(runner, info, text, config, released::incrementAndGet);
    }

    /** Greedy, without the model's end. */
    static GenerationOptions tokens(int maxTokens) {
        return GenerationOptions.greedy().withMaxTokens(maxTokens).withIgnoreEos(true);
    }

    static GenerationEvent.Finished finished(List<GenerationEvent> events) {
        return (GenerationEvent.Finished) events.get(events.size() - 1);
    }

    static String text(List<GenerationEvent> events) {
        StringBuilder text = new StringBuilder();
        for (GenerationEvent event : events) {
            switch (event) {
                case GenerationEvent.Token token -> text.append(token.text());
                case GenerationEvent.Text rest -> text.append(rest.text());
                case GenerationEvent.Finished end -> {}
            }
        }
        return text.toString();
    }

    static List<GenerationEvent> events(Generation generation) {
        List<GenerationEvent> events = new ArrayList<>();
        generation.forEach(events::add);
        return events;
    }

    /** What greedy decoding gives, by the specification of the fake. */
    static List<Integer> greedy(FakeStepRunner runner, List<Integer> prompt, int count) {
        List<Integer> history = new ArrayList<>(prompt);
        for (int n = 0; n < count; n++) {
            float[] logits = runner.logits(history);
            int best = 0;
            for (int i = 1; i < logits.length; i++) {
                best = logits[i] > logits[best] ? i : best;
            }
            history.add(best);
        }
        return history.subList(prompt.size(), history.size());
    }

    static List<Integer> list(int... ids) {
        List<Integer> list = new ArrayList<>();
        for (int id : ids) {
            list.add(id);
        }
        return list;
    }
}
