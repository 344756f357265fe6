package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The published and the golden checkpoints open, as files and as resources. */
class CheckpointFilesTest {
    private static final ClassLoader LOADER = CheckpointFilesTest.class.getClassLoader();

    @ParameterizedTest
    @CsvSource({"moonlight, 109, 2905024", "v2-grouped, 89, 4280928", "v2-lite, 107, 2904928", "v3-fp8, 259, 6903688"})
    void goldenCheckpointsOpenAsFilesAndAsResources(String name, int tensors, long bytes) throws URISyntaxException {
        try (Checkpoint files = Checkpoint.open(folder(name));
                Checkpoint resources = Checkpoint.open(CheckpointSource.ofResources(LOADER, "goldens/" + name))) {
            assertEquals(tensors, files.names().size());
            assertEquals(bytes, files.byteSize());
            assertEquals(files.names(), resources.names());
            for (Tensor tensor : files.tensors()) {
                Tensor other = resources.expect(tensor.name(), tensor.shape());
                assertEquals(tensor.dtype(), other.dtype());
                assertEquals(-1, tensor.data().mismatch(other.data()), tensor.name());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"moonlight", "v2-grouped", "v2-lite", "v3-fp8"})
    void goldenActivationsOpen(String name) throws URISyntaxException {
        try (Checkpoint golden = Checkpoint.openFile(folder(name), "golden.safetensors")) {
            Tensor ids = golden.tensor("input_ids");
            assertEquals(DType.I32, ids.dtype());
            Tensor logits = golden.tensor("logits");
            assertEquals(DType.F32, logits.dtype());
            assertEquals(ids.dim(0), logits.dim(0));
        }
    }

    @Test
    void theBundledModelOpens() {
        CheckpointSource source = CheckpointSource.ofResources(LOADER, "META-INF/remora/remora-tiny/");
        assertTrue(source.exists("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            assertEquals(619, checkpoint.names().size());
            assertEquals(13_816_448, checkpoint.byteSize());
            Set<DType> dtypes = checkpoint.tensors().stream().map(Tensor::dtype).collect(Collectors.toSet());
            assertEquals(EnumSet.of(DType.F8_E4M3, DType.BF16, DType.F32), dtypes);
        }
    }

    private static CheckpointSource folder(String name) throws URISyntaxException {
        return CheckpointSource.ofFolder(
                Path.of(Objects.requireNonNull(LOADER.getResource("goldens/" + name + "/config.json"))
                                .toURI())
                        .getParent());
    }
}
