package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.remora.core.CheckpointException;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.sampling.SamplingParams;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class GenerationConfigTest {
    private static JsonObject json(String text) {
        return JsonObject.of(Json.parse(text, "generation_config.json"), "generation_config.json");
    }

    @Test
    void readsWhatItSays() {
        GenerationConfig config = GenerationConfig.of(json("""
                        {"bos_token_id": 0, "eos_token_id": [1, 7], "do_sample": true, "temperature": 0.6,
                         "top_p": 0.95, "top_k": 40, "min_p": 0.1, "repetition_penalty": 1.2}"""), json("{\"eos_token_id\": 5, \"pad_token_id\": 2}"));
        assertEquals(OptionalInt.of(0), config.bos());
        assertEquals(List.of(1, 7), config.eos());
        assertEquals(OptionalInt.of(2), config.pad());
        SamplingParams expected = SamplingParams.greedy()
                .withTemperature(0.6f)
                .withTopP(0.95f)
                .withTopK(40)
                .withMinP(0.1f)
                .withRepetitionPenalty(1.2f);
        assertEquals(expected, config.sampling());
    }

    @Test
    void greedyUnlessItSaysOtherwise() {
        JsonObject config = json("{\"eos_token_id\": 5, \"bos_token_id\": null}");
        assertEquals(
                new GenerationConfig(OptionalInt.empty(), List.of(5), OptionalInt.empty(), SamplingParams.greedy()),
                GenerationConfig.of(null, config));
        assertEquals(
                SamplingParams.greedy(),
                GenerationConfig.of(json("{\"temperature\": 0.6}"), config).sampling());
        assertEquals(
                SamplingParams.defaults(),
                GenerationConfig.of(json("{\"do_sample\": true, \"top_k\": -1, \"top_p\": null}"), config)
                        .sampling());
    }

    @Test
    void wrongValuesAreErrorsOfTheFile() {
        JsonObject config = json("{}");
        refused(
                "generation_config.json: temperature: expected 0 or more, found -1.0",
                "{\"do_sample\": true, \"temperature\": -1}",
                config);
        refused("generation_config.json: top_p: expected a finite number, found \"x\"", "{\"top_p\": \"x\"}", config);
        refused(
                "generation_config.json: eos_token_id: expected a token id or a list of them, found x",
                "{\"eos_token_id\": [1, \"x\"]}",
                config);
        refused(
                "generation_config.json: eos_token_id: expected a token id or a list of them, found -3",
                "{\"eos_token_id\": -3}",
                config);
    }

    private static void refused(String message, String generation, JsonObject config) {
        assertEquals(
                message,
                assertThrows(CheckpointException.class, () -> GenerationConfig.of(json(generation), config))
                        .getMessage());
    }
}
