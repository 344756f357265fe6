package dev.remora.models.bench;

import dev.remora.core.Batch;
import dev.remora.core.CachePool;
import dev.remora.core.Rows;
import dev.remora.core.sampling.Sampler;
import dev.remora.core.sampling.SamplingParams;
import dev.remora.mla.RandomRows;
import dev.remora.models.runtime.RunningModel;
import dev.remora.models.transformer.Transformer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * Runs workloads: fills the caches to the depth, warms up, and times the repetitions. Ids are random, so that tokens meet
 * different experts; the greedy choice is made and timed all the same.
 */
final class BenchmarkRunner {
    private static final long SEED = 20240507;

    private final RunningModel model;
    private final RandomRows randomRows;
    private final RoutingCounter routing;
    private final int layers;
    private final Batch batch;
    private final Sampler sampler;
    private final float[] logits;
    private final SplittableRandom random = new SplittableRandom(SEED);
    private final EnergyMeter energy = new EnergyMeter();
    private final Settling settling;
    private final List<StepShape> shapes = new ArrayList<>();

    /**
     * What the repetitions of a workload took.
     *
     * @param seconds of each repetition
     * @param shapes  of all steps
     * @param joules  of all repetitions
     * @param resident bytes of the process at the end
     */
    record Timing(
            Workload workload, List<Double> seconds, List<StepShape> shapes, OptionalDouble joules, long resident) {
        Timing {
            // The runner fills the same list again.
            seconds = List.copyOf(seconds);
            shapes = List.copyOf(shapes);
        }
    }

    /** @param routing listens to the model */
    BenchmarkRunner(RunningModel model, RandomRows randomRows, RoutingCounter routing, Settling settling) {
        this.model = model;
        this.randomRows = randomRows;
        this.routing = routing;
        this.settling = settling;
        this.layers = model.layers().size();
        this.batch = new Batch(model.transformer().maxRows());
        int vocabulary = model.transformer().vocabSize();
        this.sampler = new Sampler(SamplingParams.greedy(), vocabulary);
        this.logits = new float[vocabulary];
    }

    /** @param progress told what happens */
    Timing run(Workload workload, int repetitions, Consumer<String> progress) {
        List<CachePool.Sequence> sequences = new ArrayList<>();
        try {
            progress.accept(workload + ": filling the cache");
            for (int i = 0; i < workload.batch(); i++) {
                CachePool.Sequence sequence = model.pool().open(workload.depth() + workload.tokens());
                sequences.add(sequence);
                randomRows.fill(sequence, layers, workload.depth());
            }
            int[] ids = ids(workload);
            progress.accept(workload + ": warming up");
            warmUp(workload, sequences, ids);
            return measure(workload, sequences, ids, repetitions, progress);
        } finally {
            sequences.forEach(CachePool.Sequence::close);
        }
    }

    private int[] ids(Workload workload) {
        return random.ints(
                        (long) workload.batch() * workload.tokens(),
                        0,
                        model.transformer().vocabSize())
                .toArray();
    }

    /** Runs the real steps until the compiler has nothing left to do for them. */
    private void warmUp(Workload workload, List<CachePool.Sequence> sequences, int[] ids) {
        settling.begin();
        while (!settling.settled()) {
            if (workload.kind() == Workload.Kind.PROMPT) {
                prompt(sequences.getFirst(), ids);
                settling.stepDone();
            } else {
                for (int i = 0; i < workload.tokens() && !settling.settled(); i++) {
                    generate(workload, sequences, ids, i);
                    settling.stepDone();
                }
            }
            rewind(workload, sequences);
        }
    }

    private Timing measure(
            Workload workload,
            List<CachePool.Sequence> sequences,
            int[] ids,
            int repetitions,
            Consumer<String> progress) {
        shapes.clear();
        List<Double> seconds = new ArrayList<>();
        double joules = 0;
        boolean known = true;
        for (int repetition = 1; repetition <= repetitions; repetition++) {
            progress.accept(workload + ": repetition " + repetition + " of " + repetitions);
            energy.start();
            long start = System.nanoTime();
            if (workload.kind() == Workload.Kind.PROMPT) {
                prompt(sequences.getFirst(), ids);
            } else {
                for (int i = 0; i < workload.tokens(); i++) {
                    generate(workload, sequences, ids, i);
                }
            }
            seconds.add((System.nanoTime() - start) / 1e9);
            OptionalDouble used = energy.joules();
            known &= used.isPresent();
            joules += used.orElse(0);
            if (repetition < repetitions) {
                rewind(workload, sequences);
            }
        }
        return new Timing(
                workload,
                seconds,
                shapes,
                known ? OptionalDouble.of(joules) : OptionalDouble.empty(),
                Host.residentBytes());
    }

    private static void rewind(Workload workload, List<CachePool.Sequence> sequences) {
        sequences.forEach(sequence -> sequence.resize(workload.depth()));
    }

    /** A prompt, in steps as large as the engine's, and the logits of its last row. */
    private void prompt(CachePool.Sequence sequence, int[] ids) {
        int largest = model.transformer().maxRows();
        for (int from = 0; from < ids.length; from += largest) {
            int rows = Math.min(largest, ids.length - from);
            boolean last = from + rows == ids.length;
            batch.clear();
            sequence.reserve(sequence.length() + rows);
            batch.add(sequence, ids, from, rows);
            forward();
            if (last) {
                choose(model.transformer().logits(rows - 1, 1));
            }
            record(last ? 1 : 0);
            sequence.resize(sequence.length() + rows);
        }
    }

    /** One token of each sequence. */
    private void generate(Workload workload, List<CachePool.Sequence> sequences, int[] ids, int index) {
        batch.clear();
        for (int i = 0; i < sequences.size(); i++) {
            CachePool.Sequence sequence = sequences.get(i);
            sequence.reserve(sequence.length() + 1);
            batch.add(sequence, ids, i * workload.tokens() + index, 1);
        }
        forward();
        int rows = batch.rows();
        for (int row = 0; row < rows; row += Transformer.HEAD_ROWS) {
            choose(model.transformer().logits(row, Math.min(Transformer.HEAD_ROWS, rows - row)));
        }
        record(rows);
        for (CachePool.Sequence sequence : sequences) {
            sequence.resize(sequence.length() + 1);
        }
    }

    private void forward() {
        model.transformer().forward(batch, (layer, x) -> {});
    }

    /** The sampler fails if a logit is not finite. */
    private void choose(Rows rows) {
        for (int row = 0; row < rows.count(); row++) {
            System.arraycopy(rows.data(), rows.offset(row), logits, 0, logits.length);
            sampler.sample(logits);
        }
    }

    private void record(int logitRows) {
        int[] past = new int[batch.segments()];
        int[] rows = new int[batch.segments()];
        for (int segment = 0; segment < past.length; segment++) {
            past[segment] = batch.position(batch.segmentStart(segment));
            rows[segment] = batch.segmentStart(segment + 1) - batch.segmentStart(segment);
        }
        shapes.add(new StepShape(past, rows, routing.distinct(), routing.meetings(), logitRows));
    }
}
