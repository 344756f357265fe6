package dev.remora.core.checkpoint;

import static dev.remora.core.checkpoint.MemorySource.entry;
import static dev.remora.core.checkpoint.MemorySource.safetensors;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CheckpointScopeTest {
    private final Checkpoint checkpoint = Checkpoint.open(new MemorySource()
            .with(
                    "model.safetensors",
                    safetensors(
                            "{" + entry("lm_head.weight", "1", 0, 4) + ","
                                    + entry("model.layers.1.norm.weight", "1", 4, 8) + ","
                                    + entry("model.layers.1.mlp.weight", "1", 8, 12) + ","
                                    + entry("model.layers.10.norm.weight", "1", 12, 16) + "}",
                            16)));

    @AfterEach
    void close() {
        checkpoint.close();
    }

    @Test
    void namesAreWalkedLikeFolders() {
        CheckpointScope layer = checkpoint.root().at("model.layers.1");
        assertSame(
                checkpoint.tensor("model.layers.1.norm.weight"),
                layer.at("norm").tensor("weight"));
        assertSame(checkpoint.tensor("lm_head.weight"), checkpoint.root().expect("lm_head.weight", 1));
        assertEquals("model.layers.1.norm.weight", layer.fullName("norm.weight"));
        assertTrue(layer.has("norm.weight"));
        assertFalse(layer.has("weight"));
        assertEquals("model.layers.1", layer.toString());
        assertEquals("the root", checkpoint.root().toString());
    }

    @Test
    void errorsGiveTheWholeName() {
        CheckpointScope mlp = checkpoint.root().at("model.layers.1").at("mlp");
        CheckpointException e = assertThrows(CheckpointException.class, () -> mlp.expect("weight", "(hidden_size)", 7));
        assertTrue(e.getMessage().startsWith("model.layers.1.mlp.weight: expected (7) = (hidden_size), found (1) in "));
        CheckpointException missing = assertThrows(CheckpointException.class, () -> mlp.expect("bias", 7));
        assertTrue(missing.getMessage().startsWith("model.layers.1.mlp.bias: expected a tensor (7), found none in "));
    }

    @Test
    void whatNobodyAskedForIsListed() {
        CheckpointScope root = checkpoint.root();
        assertEquals(checkpoint.names().stream().sorted().toList(), List.copyOf(root.unused()));
        CheckpointScope layer = root.at("model").at("layers.1");
        layer.tensor("norm.weight");
        assertTrue(layer.has("mlp.weight"), "asking whether it exists is no use of it");
        assertThrows(CheckpointException.class, () -> layer.expect("mlp.weight", 99));
        assertEquals(List.of("model.layers.1.mlp.weight"), List.copyOf(layer.unused()));
        assertEquals(
                List.of("lm_head.weight", "model.layers.1.mlp.weight", "model.layers.10.norm.weight"),
                List.copyOf(root.unused()));
        assertEquals(4, checkpoint.root().unused().size(), "another root has a memory of its own");
    }
}
