package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.Batch;
import dev.remora.moe.ExpertCounters;
import dev.remora.moe.Routing;
import dev.remora.moe.policy.RouterPolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineListenerTest {
    private static final int[] PROMPT = {0, 627, 628, 261, 454};
    private static final GenerationOptions THREE =
            GenerationOptions.greedy().withMaxTokens(3).withIgnoreEos(true);

    /** Writes down what it hears. */
    private static final class Notes implements EngineListener {
        private final List<String> lines = new ArrayList<>();
        private ExpertCounters counters;
        private boolean timesFit = true;

        @Override
        public void loaded(ModelInfo info, Duration took) {
            lines.add("loaded " + info.modelType() + " " + !took.isNegative());
        }

        @Override
        public void prefill(int position, int tokens, long nanos) {
            lines.add("prefill " + position + " " + tokens + " " + (nanos > 0));
        }

        @Override
        public void token(int position, long nanos) {
            lines.add("token " + position + " " + (nanos > 0));
        }

        @Override
        public void routed(int layer, Batch batch, Routing routing) {
            lines.add("routed " + layer + " " + batch.token(0) + " " + routing.rows());
        }

        @Override
        public void step(StepFigures figures) {
            lines.add("step " + figures.rows() + " " + figures.sequences() + " " + figures.cachePages());
            long phases = figures.attentionNanos()
                    + figures.routerNanos()
                    + figures.feedForwardNanos()
                    + figures.headNanos()
                    + figures.otherNanos();
            timesFit &= figures.attentionNanos() > 0
                    && figures.routerNanos() > 0
                    && figures.feedForwardNanos() > 0
                    && figures.otherNanos() > 0
                    && phases <= figures.nanos()
                    && figures.cacheBytes() > 0;
        }

        @Override
        public void experts(ExpertCounters all) {
            counters = all;
        }

        @Override
        public void policy(RouterPolicy before, RouterPolicy now, String reason) {
            lines.add("policy " + before + " " + now + " " + reason);
        }
    }

    @Test
    void aListenerHearsEachStep() {
        Notes notes = new Notes();
        try (Llm llm = Llm.bundled(LoadOptions.defaults().withThreads(2).withListener(notes));
                Session session = llm.session(64)) {
            session.generate(PROMPT, THREE).text();
            llm.policy(RouterPolicy.parse("topk:2"));
            session.generate(new int[] {5}, GenerationOptions.greedy().withMaxTokens(0))
                    .text();
        }
        List<String> expected = new ArrayList<>(List.of("loaded deepseek_v3 true"));
        for (int layer = 1; layer <= 4; layer++) {
            expected.add("routed " + layer + " 0 5");
        }
        expected.addAll(List.of("prefill 0 5 true", "step 5 1 1"));
        assertEquals(expected, notes.lines.subList(0, expected.size()));
        List<String> steps = notes.lines.stream()
                .filter(line -> !line.startsWith("routed"))
                .skip(3)
                .toList();
        assertEquals(
                List.of(
                        "token 5 true",
                        "step 1 1 1",
                        "token 6 true",
                        "step 1 1 1",
                        "policy exact topk:2 asked for",
                        // the last generated token and the one that follows it
                        "prefill 7 2 true",
                        "step 2 1 1"),
                steps);
        assertTrue(notes.timesFit, "phases add up to no more than the step");
        assertEquals(9, notes.counters.rows(1));
        assertEquals(36, Arrays.stream(notes.counters.load(4)).sum());
        assertTrue(notes.counters.entropyBits(1) > 0 && notes.counters.entropyBits(1) <= 2);
        assertEquals(0, notes.counters.rows(0), "a dense layer");
    }

    @Test
    void whatAListenerThrowsEndsItselfAlone() {
        int[] calls = new int[1];
        EngineListener broken = new EngineListener() {
            @Override
            public void token(int position, long nanos) {
                calls[0]++;
                throw new IllegalStateException("a fault of the listener");
            }
        };
        try (Llm llm = Llm.bundled(LoadOptions.defaults().withThreads(1).withListener(broken));
                Session session = llm.session(64)) {
            String heard = session.generate(PROMPT, THREE).text();
            session.truncate(0);
            assertEquals(heard, session.generate(PROMPT, THREE).text());
        }
        assertEquals(1, calls[0]);
    }

    @Test
    void flightRecorderHearsTheSame(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("remora.jfr");
        try (Recording recording = new Recording()) {
            for (String event : List.of("ModelLoaded", "Prefill", "Token", "Step", "Routing", "ExpertLoad", "Policy")) {
                recording.enable("remora." + event);
            }
            recording.start();
            try (Llm llm = Llm.bundled(LoadOptions.defaults().withThreads(1));
                    Session session = llm.session(64)) {
                session.generate(PROMPT, THREE).text();
                llm.policy(RouterPolicy.parse("topk:1"));
                session.generate(new int[0], GenerationOptions.greedy().withMaxTokens(0))
                        .text();
            }
            recording.stop();
            recording.dump(file);
        }
        Map<String, List<RecordedEvent>> events = RecordingFile.readAllEvents(file).stream()
                .collect(Collectors.groupingBy(event -> event.getEventType().getName()));
        assertEquals(
                Map.of(
                        "remora.ModelLoaded", 1,
                        "remora.Prefill", 1,
                        "remora.Token", 3,
                        "remora.Step", 4,
                        "remora.Routing", 4,
                        "remora.Policy", 1),
                events.entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey, entry -> entry.getValue().size())));
        assertEquals(5, events.get("remora.Prefill").getFirst().getInt("tokens"));
        RecordedEvent step = events.get("remora.Step").getFirst();
        assertFalse(step.getDuration().minus(step.getDuration("attention")).isNegative());
        assertTrue(step.getLong("cacheBytes") > 0);
        RecordedEvent routing = events.get("remora.Routing").getFirst();
        assertEquals(20, routing.getLong("rows"), "five rows in four layers");
        assertEquals(80, routing.getLong("chosen"));
        assertEquals(4, events.get("remora.Routing").getLast().getLong("chosen"));
        assertEquals("topk:1", events.get("remora.Policy").getFirst().getString("to"));
    }
}
