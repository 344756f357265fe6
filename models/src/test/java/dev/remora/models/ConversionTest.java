package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.json.Json;
import dev.remora.models.convert.Conversion;
import dev.remora.models.convert.ConversionOptions;
import dev.remora.models.convert.ConversionReport;
import dev.remora.models.convert.WeightFormat;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The goldens, converted: what becomes of each number, and of the logits. */
class ConversionTest {
    private static final String SCALES = "_scale_inv";
    private static final ConversionOptions PLAIN = ConversionOptions.defaults().withThreads(2);
    private static final ConversionOptions EXPERT_MAJOR = PLAIN.withExpertMajor(true);
    private static final ConversionOptions FP8 = PLAIN.withTo(WeightFormat.FP8);
    private static final ConversionOptions BF16 = PLAIN.withTo(WeightFormat.BF16);

    private static final Set<String> QUANTISED = Set.of(
            "q_proj",
            "q_a_proj",
            "q_b_proj",
            "kv_a_proj_with_mqa",
            "kv_b_proj",
            "o_proj",
            "gate_proj",
            "up_proj",
            "down_proj");

    @TempDir
    Path temporary;

    // ---- order ----

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "moonlight", "v2-grouped", "v3-fp8"})
    void expertMajorKeepsEveryBit(String golden) {
        Path model = TestCheckpoint.folder(golden);
        Path target = temporary.resolve("converted");
        ConversionReport report = run(model, target, EXPERT_MAJOR.withShardBytes(400_000));
        assertSameLogits(Logits.of(model, ids(golden)), Logits.of(target, ids(golden)));
        try (Checkpoint before = open(model);
                Checkpoint after = open(target)) {
            assertEquals(new TreeSet<>(before.names()), new TreeSet<>(after.names()));
            for (Tensor tensor : before.tensors()) {
                assertEquals(
                        -1, tensor.data().mismatch(after.tensor(tensor.name()).data()), tensor.name());
            }
            assertEquals(before.names().size(), report.kept().tensors());
            assertEquals(before.byteSize(), report.after().bytes());
            assertEquals(after.files().size(), report.after().files());
            assertEquals(0, report.converted());
            assertTrue(report.rounding().isEmpty());
            assertEquals(assertTogether(after), report.experts());
        }
    }

    /** gate, up, down, then their scales follow each other in one file, expert after expert. */
    private static int assertTogether(Checkpoint checkpoint) {
        List<String> names = List.copyOf(checkpoint.names());
        int experts = 0;
        String last = "";
        for (int i = 0; i < names.size(); i++) {
            if (!names.get(i).contains(".mlp.experts.") || !names.get(i).endsWith(".gate_proj.weight")) {
                continue;
            }
            String expert = names.get(i).substring(0, names.get(i).length() - "gate_proj.weight".length());
            boolean scaled = checkpoint.has(expert + "gate_proj.weight" + SCALES);
            long end = checkpoint.tensor(names.get(i)).data().address();
            for (String suffix : scaled ? List.of("", SCALES) : List.of("")) {
                for (String part : List.of("gate_proj", "up_proj", "down_proj")) {
                    Tensor tensor = checkpoint.tensor(expert + part + ".weight" + suffix);
                    assertEquals(end, tensor.data().address(), tensor.name());
                    assertEquals(checkpoint.tensor(names.get(i)).file(), tensor.file());
                    end += tensor.data().byteSize();
                }
            }
            String place = expert.replaceAll("\\d+", "000$0").replaceAll("0*(\\d{3})(?=\\D)", "$1");
            assertTrue(last.compareTo(place) < 0, last + " before " + place);
            last = place;
            experts++;
        }
        assertTrue(experts > 0);
        return experts;
    }

    @Test
    void theDataOfEachFileBeginsAtAPageAndExpertsInAFileOfTheirOwn() throws IOException {
        Path target = temporary.resolve("converted");
        run(TestCheckpoint.folder("v3-fp8"), target, EXPERT_MAJOR);
        assertEquals(
                Set.of(
                        "config.json",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json"),
                Set.copyOf(names(target)));
        for (String file : List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")) {
            byte[] bytes = Files.readAllBytes(target.resolve(file));
            long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertEquals(0, (8 + header) % 4096, file);
        }
        try (Checkpoint after = open(target)) {
            for (Tensor tensor : after.tensors()) {
                boolean expert = tensor.name().contains(".mlp.experts.");
                assertEquals(expert, tensor.file().contains("model-00002"), tensor.name());
            }
        }
    }

    @Test
    void fusedExpertsBecomeSingleOnes() {
        TestCheckpoint fused = TestCheckpoint.golden("v2-lite");
        Path single = fused.write(temporary.resolve("single"), 1);
        fused.fuseExperts();
        Path model = fused.write(temporary.resolve("fused"), 1);
        Path target = temporary.resolve("converted");
        run(model, target, EXPERT_MAJOR);
        assertSameLogits(Logits.of(model, ids("v2-lite")), Logits.of(target, ids("v2-lite")));
        try (Checkpoint before = open(single);
                Checkpoint after = open(target)) {
            assertEquals(new TreeSet<>(before.names()), new TreeSet<>(after.names()));
            for (Tensor tensor : before.tensors()) {
                assertEquals(
                        -1, tensor.data().mismatch(after.tensor(tensor.name()).data()), tensor.name());
            }
            assertTogether(after);
        }
    }

    @Test
    void fusedExpertsThatShareScalesAreRefusedOrDecoded() {
        TestCheckpoint fused = blocks(TestCheckpoint.golden("v3-fp8"), 128);
        fused.fuseExperts();
        restack(fused, 128);
        Path model = fused.write(temporary.resolve("fused"), 1);
        Path target = temporary.resolve("converted");
        CheckpointException e = assertThrows(CheckpointException.class, () -> run(model, target, EXPERT_MAJOR));
        assertTrue(e.getMessage().contains("gate and up have 136 rows each"), e.getMessage());
        assertTrue(e.getMessage().contains("--to bf16"), e.getMessage());
        assertFalse(Files.exists(target));

        Path stacked = temporary.resolve("stacked");
        run(model, stacked, BF16);
        run(model, target, EXPERT_MAJOR.withTo(WeightFormat.BF16));
        assertSameLogits(Logits.of(stacked, ids("v3-fp8")), Logits.of(target, ids("v3-fp8")));
    }

    @Test
    void fusedFp8ExpertsOfWholeBlocksAreParted() {
        TestCheckpoint fp8 = blocks(TestCheckpoint.golden("v3-fp8"), 8);
        Path single = fp8.write(temporary.resolve("single"), 1);
        fp8.fuseExperts();
        Path model = fp8.write(temporary.resolve("fused"), 1);
        Path target = temporary.resolve("converted");
        run(model, target, EXPERT_MAJOR);
        assertSameLogits(Logits.of(single, ids("v3-fp8")), Logits.of(target, ids("v3-fp8")));
        try (Checkpoint before = open(single);
                Checkpoint after = open(target)) {
            assertEquals(new TreeSet<>(before.names()), new TreeSet<>(after.names()));
            for (Tensor tensor : before.tensors()) {
                assertEquals(
                        -1, tensor.data().mismatch(after.tensor(tensor.name()).data()), tensor.name());
            }
        }
    }

    /** Blocks of so many rows and columns, each with the scale of the golden's block that it lies in. */
    private static TestCheckpoint blocks(TestCheckpoint fp8, int size) {
        fp8.object("quantization_config").put("weight_block_size", List.of((long) size, (long) size));
        for (String name : List.copyOf(fp8.tensors.keySet())) {
            if (fp8.tensor(name).dtype == DType.F8_E4M3) {
                int rows = fp8.tensor(name).dim(0);
                int cols = fp8.tensor(name).dim(1);
                float[] old = fp8.floats(name + SCALES);
                int down = Math.ceilDiv(rows, size);
                int across = Math.ceilDiv(cols, size);
                float[] scales = new float[down * across];
                for (int i = 0; i < scales.length; i++) {
                    int row = i / across * size / 128;
                    int col = i % across * size / 128;
                    scales[i] = old[row * Math.ceilDiv(cols, 128) + col];
                }
                fp8.store(name + SCALES, DType.F32, scales, down, across);
            }
        }
        return fp8;
    }

    /** As many scales as a stack of gate above up has, where the two share a block. */
    private static void restack(TestCheckpoint fused, int size) {
        for (String name : List.copyOf(fused.tensors.keySet())) {
            if (name.endsWith("gate_up_proj")) {
                int count = fused.tensor(name).dim(0);
                int down = Math.ceilDiv(fused.tensor(name).dim(1), size);
                int across = Math.ceilDiv(fused.tensor(name).dim(2), size);
                float[] scales = new float[count * down * across];
                float[] some = fused.floats(name + SCALES);
                for (int i = 0; i < scales.length; i++) {
                    scales[i] = some[i % some.length];
                }
                fused.store(name + SCALES, DType.F32, scales, count, down, across);
            }
        }
    }

    // ---- formats ----

    /** Each number is code * scale in f32, rounded to the nearest BF16, halves to even. */
    @Test
    void fp8ToBf16RoundsTheProducts() {
        Path model = TestCheckpoint.folder("v3-fp8");
        Path target = temporary.resolve("converted");
        ConversionReport report = run(model, target, BF16);
        assertDecoded(model, target);
        assertFalse(config(target).containsKey("quantization_config"));
        assertEquals("bfloat16", config(target).get("torch_dtype"));
        ConversionReport.Rounding rounding = report.rounding().orElseThrow();
        assertTrue(rounding.largest() > 0 && rounding.largest() <= 1 / 256.0, rounding.toString());
        assertTrue(rounding.meanSquare() > 0 && rounding.meanSquare() < rounding.largest(), rounding.toString());
        assertLogitsOfItsNumbers(target, "v3-fp8");
        // What a matrix gives errs by at most 2^-8 of its size, since each weight does; if the errors of the some 7
        // matrices
        // of 4 layers all pointed one way, they would add up to this.
        assertClose(model, target, "v3-fp8", 7 * 4 / 256.0);
    }

    /** A code has 4 significant bits, so where a scale is a power of two BF16 holds the product. */
    @Test
    void fp8ToBf16LosesNothingWhereScalesArePowersOfTwo() {
        TestCheckpoint fp8 = TestCheckpoint.golden("v3-fp8");
        for (String name : List.copyOf(fp8.tensors.keySet())) {
            if (name.endsWith(SCALES)) {
                float[] scales = fp8.floats(name);
                for (int i = 0; i < scales.length; i++) {
                    scales[i] = (float) Math.scalb(1.0, Math.getExponent(scales[i]));
                }
                fp8.store(name, DType.F32, scales, fp8.tensor(name).shape);
            }
        }
        Path model = fp8.write(temporary.resolve("model"), 1);
        Path target = temporary.resolve("converted");
        ConversionReport report = run(model, target, BF16);
        assertDecoded(model, target);
        assertEquals(0, report.rounding().orElseThrow().largest());
        assertEquals(0, report.rounding().orElseThrow().meanSquare());
        // The same numbers; only the kernels sum them in other orders.
        assertClose(model, target, "v3-fp8", Logits.TOLERANCE);
    }

    private static void assertDecoded(Path model, Path target) {
        try (Checkpoint before = open(model);
                Checkpoint after = open(target)) {
            int decoded = 0;
            for (Tensor tensor : before.tensors()) {
                if (tensor.dtype() == DType.F8_E4M3) {
                    assertFalse(after.has(tensor.name() + SCALES));
                    float[] scales = floats(before.tensor(tensor.name() + SCALES));
                    Tensor result = after.tensor(tensor.name());
                    assertEquals(DType.BF16, result.dtype());
                    assertArrayEquals(tensor.shape(), result.shape());
                    float[] expected = decoded(tensor, scales);
                    for (int i = 0; i < expected.length; i++) {
                        expected[i] = nearestBf16(expected[i]);
                    }
                    assertArrayEquals(expected, floats(result), tensor.name());
                    decoded++;
                } else if (!tensor.name().endsWith(SCALES)) {
                    assertSame(tensor, after.tensor(tensor.name()));
                }
            }
            assertTrue(decoded > 0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v2-lite", "moonlight", "v2-grouped"})
    void toFp8EveryWeightIsTheNearestOfItsBlock(String golden) {
        Path model = TestCheckpoint.folder(golden);
        Path target = temporary.resolve("converted");
        ConversionReport report = run(model, target, FP8);
        double largest = 0;
        int converted = 0;
        try (Checkpoint before = open(model);
                Checkpoint after = open(target)) {
            for (Tensor tensor : before.tensors()) {
                String[] path = tensor.name().split("\\.", -1);
                if (QUANTISED.contains(path[path.length - 2])) {
                    largest = Math.max(largest, assertNearest(tensor, after));
                    converted++;
                } else {
                    assertSame(tensor, after.tensor(tensor.name()));
                }
            }
            assertEquals(before.names().size() + converted, after.names().size());
        }
        assertEquals(converted, report.converted());
        assertEquals(largest, report.rounding().orElseThrow().largest(), 1e-12);
        assertEquals(
                Map.of(
                        "activation_scheme",
                        "dynamic",
                        "fmt",
                        "e4m3",
                        "quant_method",
                        "fp8",
                        "weight_block_size",
                        List.of(128L, 128L)),
                config(target).get("quantization_config"));
        Map<String, Object> rest = config(target);
        rest.remove("quantization_config");
        assertEquals(config(model), rest);
        assertLogitsOfItsNumbers(target, golden);
    }

    /** @return the largest error of a number, of those that are normal in E4M3 */
    private static double assertNearest(Tensor tensor, Checkpoint after) {
        Tensor codes = after.tensor(tensor.name());
        assertEquals(DType.F8_E4M3, codes.dtype());
        assertArrayEquals(tensor.shape(), codes.shape());
        int rows = (int) tensor.dim(0);
        int cols = (int) tensor.dim(1);
        int across = Math.ceilDiv(cols, 128);
        float[] numbers = floats(tensor);
        float[] scales = floats(after.expect(tensor.name() + SCALES, Math.ceilDiv(rows, 128), across));
        byte[] stored = codes.data().toArray(ValueLayout.JAVA_BYTE);
        float[] amax = new float[scales.length];
        double largest = 0;
        for (int i = 0; i < numbers.length; i++) {
            int block = i / cols / 128 * across + i % cols / 128;
            double scale = scales[block];
            double size = Math.abs(numbers[i]);
            double error = Math.abs(number(stored[i]) * scale - numbers[i]);
            amax[block] = Math.max(amax[block], Math.abs(numbers[i]));
            // Half a step: steps are an eighth of the power of two below the number, and no smaller than 2^-9. The
            // quotient is rounded to f32 before, which may move it by 2^-24.
            double step = Math.scalb(1.0, Math.max(-6, Math.getExponent(size / scale)) - 3);
            assertTrue(error <= (step / 2 + 448 * 0x1p-24) * scale, tensor.name() + " at " + i + ": " + error);
            if (size >= 0x1p-6 * scale) {
                largest = Math.max(largest, error / size);
            }
        }
        for (int block = 0; block < scales.length; block++) {
            assertEquals(amax[block] / 448, scales[block], tensor.name());
        }
        assertTrue(largest <= 1 / 16.0 + 1e-6, tensor.name() + ": " + largest);
        return largest;
    }

    @Test
    void stacksBecomeFp8Stacks() {
        TestCheckpoint fused = TestCheckpoint.golden("v2-grouped");
        fused.fuseExperts();
        Path model = fused.write(temporary.resolve("fused"), 1);
        Path stacked = temporary.resolve("stacked");
        run(model, stacked, FP8);
        try (Checkpoint after = open(stacked)) {
            Tensor stack = after.tensor("model.layers.1.mlp.experts.gate_up_proj");
            assertEquals(DType.F8_E4M3, stack.dtype());
            after.expect(stack.name() + SCALES, stack.dim(0), 2, 2);
        }
        assertLogitsOfItsNumbers(stacked, "v2-grouped");
        // Parted, each matrix has blocks of its own: the same as of experts that were single ones.
        Path parted = temporary.resolve("parted");
        run(model, parted, FP8.withExpertMajor(true));
        Path single = temporary.resolve("single");
        run(TestCheckpoint.folder("v2-grouped"), single, FP8);
        assertSameLogits(Logits.of(single, ids("v2-grouped")), Logits.of(parted, ids("v2-grouped")));
    }

    @Test
    void f32AndF16BecomeBf16ButRouterAndVectorsStay() {
        TestCheckpoint f32 = TestCheckpoint.golden("v2-grouped");
        String halved = "model.layers.1.self_attn.o_proj.weight";
        f32.tensors.put(halved, f32.converted(halved, DType.F16));
        Path model = f32.write(temporary.resolve("model"), 2);
        Path target = temporary.resolve("converted");
        run(model, target, BF16);
        assertEquals("bfloat16", config(target).get("torch_dtype"));
        try (Checkpoint before = open(model);
                Checkpoint after = open(target)) {
            for (Tensor tensor : before.tensors()) {
                if (tensor.rank() == 1 || tensor.name().endsWith("mlp.gate.weight")) {
                    assertSame(tensor, after.tensor(tensor.name()));
                    continue;
                }
                assertEquals(DType.BF16, after.tensor(tensor.name()).dtype(), tensor.name());
                float[] expected = floats(tensor);
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = nearestBf16(expected[i]);
                }
                assertArrayEquals(expected, floats(after.tensor(tensor.name())), tensor.name());
            }
        }
    }

    @Test
    void bothAtOnceGiveWhatOneAfterTheOtherGives() {
        Path model = TestCheckpoint.folder("moonlight");
        Path quantised = temporary.resolve("quantised");
        Path after = temporary.resolve("after");
        Path atOnce = temporary.resolve("at-once");
        run(model, quantised, FP8);
        run(quantised, after, EXPERT_MAJOR);
        run(model, atOnce, FP8.withExpertMajor(true));
        try (Checkpoint one = open(after);
                Checkpoint other = open(atOnce)) {
            assertEquals(List.copyOf(experts(one)), List.copyOf(experts(other)));
            for (Tensor tensor : one.tensors()) {
                assertSame(tensor, other.tensor(tensor.name()));
            }
        }
    }

    private static List<String> experts(Checkpoint checkpoint) {
        return checkpoint.names().stream()
                .filter(name -> name.contains(".experts."))
                .toList();
    }

    // ---- files ----

    @Test
    void otherFilesAreCopiedAndOtherWeightsAreNot() throws IOException {
        TestCheckpoint golden = TestCheckpoint.golden("v2-lite");
        golden.files.put("tokenizer.json", "{\"some\": \"tokenizer\"}");
        golden.files.put("LICENSE", "as you like");
        golden.files.put("empty.txt", "");
        golden.files.put("pytorch_model.bin", "weights");
        golden.files.put("consolidated.safetensors", "weights");
        golden.files.put(".gitattributes", "hidden");
        Path model = golden.write(temporary.resolve("model"), 3);
        Files.createDirectory(model.resolve("figures"));
        Path target = Files.createDirectory(temporary.resolve("empty-before"));
        ConversionReport report = run(model, target, EXPERT_MAJOR);
        assertEquals(List.of("LICENSE", "config.json", "empty.txt", "tokenizer.json"), report.copied());
        assertEquals(
                List.of(".gitattributes", "consolidated.safetensors", "figures", "pytorch_model.bin"),
                report.leftOut());
        for (String name : report.copied()) {
            assertArrayEquals(Files.readAllBytes(model.resolve(name)), Files.readAllBytes(target.resolve(name)), name);
        }
        assertEquals(
                List.of(
                        "LICENSE",
                        "config.json",
                        "empty.txt",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json",
                        "tokenizer.json"),
                names(target));
    }

    @Test
    void theBundledModelBecomesAFolderThatSpeaks() {
        Path target = temporary.resolve("tiny");
        ConversionReport report =
                Conversion.bundled().run(target, EXPERT_MAJOR.withTo(WeightFormat.BF16), progress -> {});
        assertTrue(report.copied().contains("tokenizer.json"), report.toString());
        assertTrue(report.experts() > 0 && report.converted() > 0, report.toString());
        GenerationOptions options = GenerationOptions.defaults().withMaxTokens(8);
        try (Llm llm = Llm.load(target, Logits.EXACT);
                Session session = llm.session()) {
            assertFalse(session.generate("Once upon a time", options).text().isBlank());
            assertTrue(llm.info().tensors().stream().noneMatch(t -> t.dtype().equals("F8_E4M3")));
        }
    }

    @Test
    void progressIsToldFromTheBeginningToTheEnd() {
        Path target = temporary.resolve("converted");
        List<LoadProgress> seen = new ArrayList<>();
        ConversionReport report =
                Conversion.folder(TestCheckpoint.folder("v2-lite")).run(target, FP8, seen::add);
        long total = report.after().bytes();
        assertEquals(new LoadProgress(0, total, "converting weights"), seen.getFirst());
        assertEquals(new LoadProgress(total, total, "converting weights"), seen.getLast());
    }

    // ---- what is refused ----

    @Test
    void whatWouldChangeNothingIsSaid() {
        Path fp8 = TestCheckpoint.folder("v3-fp8");
        Path bf16 = TestCheckpoint.folder("v2-lite");
        assertRefused("to: expected a checkpoint in another format, found matrices in fp8 already: ", fp8, FP8);
        assertRefused("to: expected a checkpoint in another format, found matrices in bf16 already: ", bf16, BF16);
        assertRefused("to: expected a format, or expertMajor, found neither", bf16, PLAIN);
        Path target = temporary.resolve("converted");
        ConversionReport report = run(fp8, target, FP8.withExpertMajor(true));
        assertEquals(0, report.converted());
        assertEquals(config(fp8), config(target));
        assertSameLogits(Logits.of(fp8, ids("v3-fp8")), Logits.of(target, ids("v3-fp8")));
        assertRefused(
                "expertMajor: expected a checkpoint in another order, found gate, up and down", target, EXPERT_MAJOR);
    }

    @Test
    void aModelWithoutExpertsHasNoOrderOfThem() {
        TestCheckpoint dense = TestCheckpoint.golden("v2-lite");
        dense.config.remove("n_routed_experts");
        dense.tensors.keySet().removeIf(name -> name.contains(".mlp.experts."));
        Path model = dense.write(temporary.resolve("dense"), 1);
        assertRefused("expertMajor: expected a model with routed experts, found none in " + model, model, EXPERT_MAJOR);
    }

    private void assertRefused(String message, Path model, ConversionOptions options) {
        Path target = temporary.resolve("refused");
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> run(model, target, options));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
        assertFalse(Files.exists(target));
    }

    @Test
    void aTargetWithinTheSourceIsRefused() throws IOException {
        Path model = TestCheckpoint.golden("v2-lite").write(temporary.resolve("model"), 1);
        Path link = Files.createSymbolicLink(temporary.resolve("link"), model);
        for (Path target : List.of(model, model.resolve("a").resolve("b"), link.resolve("a"))) {
            RemoraException e = assertThrows(RemoraException.class, () -> run(model, target, FP8));
            assertTrue(
                    e.getMessage().startsWith(target + ": expected a folder outside the checkpoint"), e.getMessage());
        }
        assertEquals(List.of("config.json", "model.safetensors"), names(model));
    }

    @Test
    void aNumberWithoutAPlaceInTheNewFormatIsNamedAndNothingRemains() throws IOException {
        TestCheckpoint golden = TestCheckpoint.golden("v2-grouped");
        String name = "model.layers.2.self_attn.o_proj.weight";
        float[] values = golden.floats(name);
        int cols = golden.tensor(name).dim(1);
        values[130 * cols + 7] = Float.NaN;
        golden.store(name, DType.F32, values, golden.tensor(name).shape);
        Path model = golden.write(temporary.resolve("model"), 1);
        for (ConversionOptions options : List.of(FP8, BF16)) {
            Path target = temporary.resolve("new").resolve("converted");
            RemoraException e = assertThrows(RemoraException.class, () -> run(model, target, options));
            assertTrue(e.getMessage().startsWith(name + ": expected finite numbers"), e.getMessage());
            assertTrue(e.getMessage().contains("NaN at row 130, column 7"), e.getMessage());
            assertEquals(List.of("model"), names(temporary));
        }
    }

    @Test
    void missingScalesAreMissed() throws IOException {
        TestCheckpoint golden = TestCheckpoint.golden("v3-fp8");
        String name = "model.layers.1.mlp.up_proj.weight";
        golden.tensors.remove(name + SCALES);
        Path model = golden.write(temporary.resolve("model"), 1);
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> run(model, temporary.resolve("converted"), BF16));
        assertTrue(e.getMessage().startsWith(name + ": is stored as F8_E4M3, which needs "), e.getMessage());
        assertEquals(List.of("model"), names(temporary));
    }

    @Test
    void blocksOfAnotherSizeAreNotMixedWithOurs() {
        TestCheckpoint mixed = blocks(TestCheckpoint.golden("v3-fp8"), 64);
        String name = "model.layers.1.mlp.up_proj.weight";
        int rows = mixed.tensor(name).dim(0);
        int cols = mixed.tensor(name).dim(1);
        mixed.tensors.remove(name + SCALES);
        mixed.store(name, DType.BF16, new float[rows * cols], rows, cols);
        Path model = mixed.write(temporary.resolve("model"), 1);
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> run(model, temporary.resolve("converted"), FP8));
        assertTrue(
                e.getMessage().startsWith(name + ": is BF16 beside FP8 matrices with blocks of 64 x 64"),
                e.getMessage());
    }

    @Test
    void whatIsInterruptedLeavesNothing() throws IOException {
        Path model = TestCheckpoint.folder("v3-fp8");
        Path fresh = temporary.resolve("fresh");
        Path empty = Files.createDirectory(temporary.resolve("empty"));
        for (Path target : List.of(fresh, empty)) {
            assertThrows(
                    CancellationException.class,
                    () -> Conversion.folder(model).run(target, EXPERT_MAJOR, progress -> {
                        if (progress.bytesDone() == progress.bytesTotal()) {
                            throw new CancellationException("enough");
                        }
                    }));
        }
        assertEquals(List.of("empty"), names(temporary));
        assertEquals(List.of(), names(empty));
    }

    // ---- helpers ----

    private static ConversionReport run(Path model, Path target, ConversionOptions options) {
        return Conversion.folder(model).run(target, options, progress -> {});
    }

    private static Checkpoint open(Path folder) {
        return Checkpoint.open(CheckpointSource.ofFolder(folder));
    }

    private static Map<String, Object> config(Path folder) {
        return TestCheckpoint.object(
                Json.parse(CheckpointSource.ofFolder(folder).read("config.json"), "config.json"));
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().collect(Collectors.toList());
        }
    }

    private static int[] ids(String golden) {
        return Logits.ints(CheckpointSource.ofFolder(TestCheckpoint.folder(golden)), "input_ids");
    }

    private static void assertSame(Tensor expected, Tensor actual) {
        assertEquals(expected.dtype(), actual.dtype(), expected.name());
        assertArrayEquals(expected.shape(), actual.shape(), expected.name());
        assertEquals(-1, expected.data().mismatch(actual.data()), expected.name());
    }

    private static void assertSameLogits(List<float[]> expected, List<float[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int row = 0; row < expected.size(); row++) {
            assertArrayEquals(expected.get(row), actual.get(row), "logits of row " + row);
        }
    }

    /** The logits are those of a checkpoint that holds the same numbers in F32; only the kernels sum in other orders. */
    private void assertLogitsOfItsNumbers(Path target, String golden) {
        TestCheckpoint f32 = TestCheckpoint.golden(golden);
        f32.config.remove("quantization_config");
        f32.tensors.clear();
        try (Checkpoint converted = open(target)) {
            for (Tensor tensor : converted.tensors()) {
                if (tensor.dtype() == DType.F8_E4M3) {
                    float[] scales = floats(converted.tensor(tensor.name() + SCALES));
                    f32.store(tensor.name(), DType.F32, decoded(tensor, scales), tensor.shape());
                } else if (!tensor.name().endsWith(SCALES)) {
                    f32.store(tensor.name(), DType.F32, floats(tensor), tensor.shape());
                }
            }
        }
        List<float[]> expected = Logits.of(f32.write(temporary.resolve("f32"), 1), ids(golden));
        double difference = Logits.difference(expected, Logits.of(target, ids(golden)));
        assertTrue(difference <= Logits.TOLERANCE, "differs by " + difference + " of the largest logit");
    }

    /** The numbers of a matrix, or of a stack of them. */
    private static float[] decoded(Tensor tensor, float[] scales) {
        byte[] codes = tensor.data().toArray(ValueLayout.JAVA_BYTE);
        int rows = (int) tensor.dim(tensor.rank() - 2);
        int cols = (int) tensor.dim(tensor.rank() - 1);
        int down = Math.ceilDiv(rows, 128);
        int across = Math.ceilDiv(cols, 128);
        float[] values = new float[codes.length];
        for (int i = 0; i < values.length; i++) {
            int matrix = i / (rows * cols);
            values[i] = number(codes[i]) * scales[(matrix * down + i / cols % rows / 128) * across + i % cols / 128];
        }
        return values;
    }

    /**
     * The logits of the median row differ by at most so much of them, in the root of the sum of squares. Where a number
     * lets the choice of experts flip, a row differs by more than its numbers do; in most rows none flips.
     */
    private static void assertClose(Path model, Path target, String golden, double bound) {
        List<float[]> expected = Logits.of(model, ids(golden));
        List<float[]> actual = Logits.of(target, ids(golden));
        double[] rows = new double[expected.size()];
        for (int row = 0; row < rows.length; row++) {
            double difference = 0;
            double size = 0;
            for (int i = 0; i < expected.get(row).length; i++) {
                difference += Math.pow(expected.get(row)[i] - actual.get(row)[i], 2);
                size += Math.pow(expected.get(row)[i], 2);
            }
            rows[row] = Math.sqrt(difference / size);
        }
        Arrays.sort(rows);
        double median = rows[rows.length / 2];
        assertTrue(median <= bound, "logits differ by " + Arrays.toString(rows) + ", more than " + bound);
    }

    private static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (tensor.dtype()) {
                case F32 ->
                    tensor.data()
                            .get(
                                    ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                                    (long) i * Float.BYTES);
                case BF16 -> Float.intBitsToFloat(half(tensor, i) << 16);
                case F16 -> Float.float16ToFloat(half(tensor, i));
                default -> throw new IllegalArgumentException(tensor.toString());
            };
        }
        return values;
    }

    private static short half(Tensor tensor, int i) {
        return tensor.data()
                .get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), (long) i * Short.BYTES);
    }

    /** Of the two numbers of BF16 around a number the nearer one, or the even one. */
    private static float nearestBf16(float number) {
        int below = Float.floatToRawIntBits(number) & 0xffff0000;
        float low = Float.intBitsToFloat(below);
        float high = Float.intBitsToFloat(below + 0x10000);
        double toLow = Math.abs((double) number - low);
        double toHigh = Math.abs((double) high - number);
        boolean even = (below & 0x10000) == 0;
        return toLow < toHigh || (toLow == toHigh && even) ? low : high;
    }

    /** Sign, 4 bits of exponent with bias 7, 3 bits of fraction; exponent 0: fractions of 2^-6. */
    private static float number(byte code) {
        int exponent = code >> 3 & 15;
        double fraction = (code & 7) / 8.0;
        double magnitude = exponent == 0 ? fraction * 0x1p-6 : (1 + fraction) * Math.pow(2, exponent - 7);
        return (float) (code < 0 ? -magnitude : magnitude);
    }
}
