package dev.remora.models.convert;

import dev.remora.core.Activations;
import dev.remora.core.CheckpointException;
import dev.remora.core.UnsupportedModelException;
import dev.remora.core.checkpoint.Checkpoint;
import dev.remora.core.checkpoint.CheckpointScope;
import dev.remora.core.checkpoint.DType;
import dev.remora.core.checkpoint.Tensor;
import dev.remora.core.checkpoint.TensorSpec;
import dev.remora.fp8.Fp8Quantizer;
import dev.remora.models.convert.ConversionReport.Size;
import dev.remora.models.convert.TensorNames.Expert;
import dev.remora.models.convert.TensorNames.Stack;
import dev.remora.models.deepseek.DeepSeekConfig;
import dev.remora.models.saving.CopiedPart;
import dev.remora.models.saving.NewCheckpoint;
import dev.remora.models.saving.NewCheckpoint.Section;
import dev.remora.models.saving.Part;
import dev.remora.models.weights.WeightReaders;
import dev.remora.models.weights.WeightReaders.BlockSize;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Decides for each tensor of a checkpoint what becomes of it, from its name and format. */
final class ConversionPlan {
    private static final BlockSize BLOCK = new BlockSize(Fp8Quantizer.BLOCK, Fp8Quantizer.BLOCK);
    private static final Set<DType> DENSE = Set.of(DType.F32, DType.BF16, DType.F16);

    private final DeepSeekConfig config;
    private final Checkpoint checkpoint;
    private final ConversionOptions options;
    private final RoundingAccount account = new RoundingAccount();
    private final WeightReaders readers;
    private final CheckpointScope root;
    private final List<Part> others = new ArrayList<>();
    private final ExpertOrder experts = new ExpertOrder();
    private int converted;
    private int keptTensors;
    private long keptBytes;

    /**
     * Plans.
     *
     * @throws IllegalArgumentException if the options would change nothing
     * @throws CheckpointException       if a tensor that must be decoded lacks its scales
     * @throws UnsupportedModelException if a matrix cannot become what is asked for
     */
    ConversionPlan(DeepSeekConfig config, Checkpoint checkpoint, ConversionOptions options) {
        this.config = config;
        this.checkpoint = checkpoint;
        this.options = options;
        readers = new WeightReaders(config.blockSize(), Activations.F32);
        root = checkpoint.root();
        for (Tensor tensor : checkpoint.tensors()) {
            plan(tensor);
        }
        requireChange();
    }

    private void plan(Tensor tensor) {
        if (isScale(tensor.name())) {
            return; // goes with its matrix
        }
        boolean converts = converts(tensor);
        converted += converts ? 1 : 0;
        Optional<Stack> stack = options.expertMajor() ? TensorNames.stack(tensor.name()) : Optional.empty();
        if (stack.isPresent() && tensor.rank() == 3) {
            split(tensor, stack.get(), converts);
            return;
        }
        Matrices all = converts ? Matrices.of(readers, root, tensor) : null;
        List<Part> parts = new ArrayList<>(List.of(converts ? convertedPart(all) : kept(tensor)));
        String scale = tensor.name() + TensorNames.SCALE_SUFFIX;
        if (!converts && checkpoint.has(scale)) {
            parts.add(kept(checkpoint.tensor(scale)));
        }
        Optional<Expert> expert = options.expertMajor() ? TensorNames.expert(tensor.name()) : Optional.empty();
        parts.forEach(part -> expert.ifPresentOrElse(e -> experts.add(e, part), () -> others.add(part)));
    }

    private boolean isScale(String name) {
        return name.endsWith(TensorNames.SCALE_SUFFIX)
                && checkpoint.has(name.substring(0, name.length() - TensorNames.SCALE_SUFFIX.length()));
    }

    private boolean converts(Tensor tensor) {
        if (options.to().isEmpty()) {
            return false;
        }
        boolean matrices = tensor.rank() == 2 || tensor.rank() == 3;
        boolean fp8 = tensor.dtype() == DType.F8_E4M3;
        if (options.to().get() == WeightFormat.FP8) {
            if (fp8 || !matrices || !TensorNames.quantised(tensor.name())) {
                return false;
            }
            requireDense(tensor);
            if (config.blockSize() != null && !config.blockSize().equals(BLOCK)) {
                throw new UnsupportedModelException(tensor.name() + ": is " + tensor.dtype()
                        + " beside FP8 matrices with blocks of "
                        + config.blockSize().rows() + " x "
                        + config.blockSize().cols() + ", and blocks of 128 x 128 are made. Convert to BF16 first");
            }
            return true;
        }
        if (fp8 && matrices) {
            Matrices.of(readers, root, tensor).matrix(0); // has its scales
            return true;
        }
        boolean other = tensor.dtype() == DType.F32 || tensor.dtype() == DType.F16;
        return other && matrices && TensorNames.rounded(tensor.name(), config.nested());
    }

    private static void requireDense(Tensor tensor) {
        if (!DENSE.contains(tensor.dtype())) {
            throw new UnsupportedModelException(tensor.name() + ": expected F32, BF16 or F16 to quantise, found "
                    + tensor.dtype() + " in " + tensor.file());
        }
    }

    private Part convertedPart(Matrices matrices) {
        return options.to().orElseThrow() == WeightFormat.FP8
                ? new QuantizedPart(matrices, account)
                : new RoundedPart(matrices, account);
    }

    private Part kept(Tensor tensor) {
        return kept(TensorSpec.of(tensor.name(), tensor.dtype(), tensor.shape()), tensor.data());
    }

    private Part kept(TensorSpec spec, MemorySegment data) {
        keptTensors++;
        keptBytes += data.byteSize();
        return new CopiedPart(spec, data);
    }

    /** One tensor for each expert and matrix, named as in checkpoints that are published so. */
    private void split(Tensor tensor, Stack stack, boolean converts) {
        Matrices all = Matrices.of(readers, root, tensor);
        int count = all.count();
        int rows = stack.fused() ? all.rows() / 2 : all.rows();
        List<String> names = stack.fused() ? List.of("gate_proj", "up_proj") : List.of("down_proj");
        for (int expert = 0; expert < count; expert++) {
            for (int i = 0; i < names.size(); i++) {
                Expert place = new Expert(stack.layer(), expert, names.get(i) + ".weight");
                String name = stack.prefix() + expert + "." + place.part();
                Matrices slice = all.slice(name, expert, i * rows, rows);
                if (converts) {
                    experts.add(place, convertedPart(slice));
                    continue;
                }
                experts.add(place, rowsOf(tensor, slice, slice.spec(name, tensor.dtype(), rows, slice.cols()), 1));
                String scale = tensor.name() + TensorNames.SCALE_SUFFIX;
                if (tensor.dtype() == DType.F8_E4M3 && checkpoint.has(scale)) {
                    experts.add(
                            new Expert(stack.layer(), expert, place.part() + TensorNames.SCALE_SUFFIX),
                            scalesOf(checkpoint.tensor(scale), slice));
                }
            }
        }
    }

    private Part scalesOf(Tensor scales, Matrices slice) {
        BlockSize block = config.blockSize();
        if (block == null || scales.rank() != 3) {
            throw new CheckpointException(scales.name() + ": expected three dimensions, and"
                    + " quantization_config.weight_block_size in config.json, which says what they cover");
        }
        if (slice.firstRow() % block.rows() != 0) {
            throw new CheckpointException(scales.name() + ": gate and up have " + slice.rows()
                    + " rows each, no whole number of blocks of " + block.rows()
                    + ", so they share scales and cannot be parted as they are. Convert to bf16 as well (--to bf16)");
        }
        long rows = Math.ceilDiv(slice.rows(), block.rows());
        String name = slice.name() + TensorNames.SCALE_SUFFIX;
        return rowsOf(scales, slice, slice.spec(name, scales.dtype(), rows, scales.dim(2)), block.rows());
    }

    /** The bytes of some rows of one matrix of a stack; each row covers {@code block} rows of the slice's tensor. */
    private Part rowsOf(Tensor stack, Matrices slice, TensorSpec spec, int block) {
        long rowBytes = stack.dim(2) * stack.dtype().byteSize();
        long from = slice.index() * stack.dim(1) + slice.firstRow() / block;
        return kept(spec, stack.data().asSlice(from * rowBytes, spec.byteSize()));
    }

    private void requireChange() {
        if (options.to().isPresent() && converted == 0 && !options.expertMajor()) {
            throw new IllegalArgumentException("to: expected a checkpoint in another format, found matrices in "
                    + options.to().get().name().toLowerCase(Locale.ROOT) + " already: "
                    + checkpoint.source().describe() + ". There is nothing to convert");
        }
        if (options.to().isEmpty() && !options.expertMajor()) {
            throw new IllegalArgumentException("to: expected a format, or expertMajor, found neither");
        }
        if (options.expertMajor() && experts.experts() == 0) {
            throw new IllegalArgumentException("expertMajor: expected a model with routed experts, found none in "
                    + checkpoint.source().describe());
        }
        if (options.expertMajor() && converted == 0 && experts.isKept()) {
            throw new IllegalArgumentException("expertMajor: expected a checkpoint in another order, found gate, up and"
                    + " down of each expert together already: "
                    + checkpoint.source().describe()
                    + ". There is nothing to convert");
        }
    }

    /** The new tensors. */
    List<Section> sections() {
        List<Section> sections = new ArrayList<>();
        if (!others.isEmpty()) {
            sections.add(NewCheckpoint.section(others));
        }
        if (options.expertMajor()) {
            sections.add(experts.section());
        }
        return sections;
    }

    /** How many tensors get another format. */
    int converted() {
        return converted;
    }

    /** How many experts get a place. */
    int experts() {
        return experts.experts();
    }

    Size kept() {
        return new Size(keptTensors, keptBytes, 0);
    }

    RoundingAccount account() {
        return account;
    }
}
