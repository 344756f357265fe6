package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MoeConfigTest {
    @ParameterizedTest
    @CsvSource({
        // hidden, intermediate, experts, shared, per token, groups, top groups, scale; part of the message
        "0, 8, 8, 1, 2, 4, 2, 1, hidden_size",
        "16, -1, 8, 1, 2, 4, 2, 1, moe_intermediate_size",
        "16, 8, 0, 1, 2, 4, 2, 1, n_routed_experts",
        "16, 8, 8, -1, 2, 4, 2, 1, n_shared_experts",
        "16, 2000000000, 8, 2, 2, 4, 2, 1, n_shared_experts",
        "16, 8, 8, 1, 0, 4, 2, 1, num_experts_per_tok",
        "16, 8, 8, 1, 9, 1, 1, 1, num_experts_per_tok",
        "16, 8, 8, 1, 5, 4, 2, 1, num_experts_per_tok",
        "16, 8, 8, 1, 2, 0, 2, 1, n_group",
        "16, 8, 8, 1, 2, 3, 2, 1, n_routed_experts",
        "16, 8, 8, 1, 2, 8, 2, 1, n_group",
        "16, 8, 8, 1, 2, 4, 0, 1, topk_group",
        "16, 8, 8, 1, 2, 4, 5, 1, topk_group",
        "16, 8, 8, 1, 2, 4, 2, 0, routed_scaling_factor",
        "16, 8, 8, 1, 2, 4, 2, NaN, routed_scaling_factor",
    })
    void contradictionsNameTheirKey(
            int hidden,
            int intermediate,
            int experts,
            int shared,
            int perTok,
            int groups,
            int topGroups,
            double scale,
            String part) {
        CheckpointException e = assertThrows(
                CheckpointException.class,
                () -> new MoeConfig(
                        hidden,
                        intermediate,
                        experts,
                        shared,
                        perTok,
                        groups,
                        topGroups,
                        ScoringFunc.SIGMOID,
                        TopkMethod.NOAUX_TC,
                        true,
                        scale));
        assertTrue(e.getMessage().startsWith(part), e.getMessage());
    }

    @Test
    void greedyIgnoresGroups() {
        MoeConfig config = new MoeConfig(16, 8, 7, 2, 7, 0, 0, ScoringFunc.SOFTMAX, TopkMethod.GREEDY, false, 1);
        assertEquals(16, config.sharedIntermediateSize());
    }

    @Test
    void sigmoidScoresNeedTheMethodThatDefinesThem() {
        UnsupportedModelException e = assertThrows(
                UnsupportedModelException.class,
                () -> new MoeConfig(16, 8, 8, 1, 2, 1, 1, ScoringFunc.SIGMOID, TopkMethod.GREEDY, true, 1));
        assertTrue(e.getMessage().contains("topk_method greedy"), e.getMessage());
        assertTrue(e.getMessage().contains("found sigmoid"), e.getMessage());
    }
}
