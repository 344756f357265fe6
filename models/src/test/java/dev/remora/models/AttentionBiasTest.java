package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.checkpoint.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** attention_bias, which no published golden has, against one layer written down in plain doubles. */
@Tag("widths")
class AttentionBiasTest {
    private static final int HIDDEN = 160;
    private static final int HEADS = 5;
    private static final int NOPE = 24;
    private static final int ROPE = 16;
    private static final int VALUE = 40;
    private static final int Q_RANK = 56;
    private static final int KV_RANK = 48;
    private static final int[] IDS = {3, 141, 59, 26, 53, 58, 97, 93, 238, 46};

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void biasesAreAdded(boolean bias) {
        TestCheckpoint model = TestCheckpoint.golden("v2-grouped");
        model.config.put("num_hidden_layers", 1L);
        model.config.put("rope_scaling", null);
        model.config.put("attention_bias", bias);
        model.tensors.keySet().removeIf(n -> n.startsWith("model.layers.") && !n.startsWith("model.layers.0."));
        if (bias) {
            Random random = new Random(3);
            addBias(model, "q_a_proj", Q_RANK, random);
            addBias(model, "kv_a_proj_with_mqa", KV_RANK + ROPE, random);
            addBias(model, "o_proj", HIDDEN, random);
        }
        double difference =
                Logits.difference(plainLogits(model), Logits.of(model.write(folder.resolve("model"), 1), IDS));
        assertTrue(difference <= Logits.TOLERANCE, "differs by " + difference + " of the largest logit");
    }

    private static void addBias(TestCheckpoint model, String projection, int length, Random random) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        model.store("model.layers.0.self_attn." + projection + ".bias", DType.F32, values, length);
    }

    /** Embedding, one dense layer, norm, head (arXiv:2405.04434, 2.1). */
    private static List<float[]> plainLogits(TestCheckpoint m) {
        String a = "model.layers.0.self_attn.";
        float[] embedding = m.floats("model.embed_tokens.weight");
        List<double[]> latents = new ArrayList<>();
        List<double[]> keys = new ArrayList<>();
        List<float[]> logits = new ArrayList<>();
        for (int t = 0; t < IDS.length; t++) {
            double[] x = new double[HIDDEN];
            for (int i = 0; i < HIDDEN; i++) {
                x[i] = embedding[IDS[t] * HIDDEN + i];
            }
            double[] h = norm(m, "model.layers.0.input_layernorm", x);
            double[] q = times(m, a + "q_b_proj", norm(m, a + "q_a_layernorm", times(m, a + "q_a_proj", h)));
            double[] kv = times(m, a + "kv_a_proj_with_mqa", h);
            double[] latent = norm(m, a + "kv_a_layernorm", Arrays.copyOf(kv, KV_RANK));
            latents.add(times(m, a + "kv_b_proj", latent));
            keys.add(rotated(kv, KV_RANK, t));
            double[] values = new double[HEADS * VALUE];
            for (int head = 0; head < HEADS; head++) {
                attend(q, head, t, latents, keys, values);
            }
            add(x, times(m, a + "o_proj", values));
            double[] g = norm(m, "model.layers.0.post_attention_layernorm", x);
            double[] gate = times(m, "model.layers.0.mlp.gate_proj", g);
            double[] up = times(m, "model.layers.0.mlp.up_proj", g);
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            add(x, times(m, "model.layers.0.mlp.down_proj", gate));
            double[] row = times(m, "lm_head", norm(m, "model.norm", x));
            float[] single = new float[row.length];
            for (int i = 0; i < row.length; i++) {
                single[i] = (float) row[i];
            }
            logits.add(single);
        }
        return logits;
    }

    private static void attend(
            double[] q, int head, int t, List<double[]> latents, List<double[]> keys, double[] values) {
        int qAt = head * (NOPE + ROPE);
        int kvAt = head * (NOPE + VALUE);
        double[] rotary = rotated(q, qAt + NOPE, t);
        double[] weights = new double[t + 1];
        double sum = 0;
        for (int s = 0; s <= t; s++) {
            double score = 0;
            for (int i = 0; i < NOPE; i++) {
                score += q[qAt + i] * latents.get(s)[kvAt + i];
            }
            for (int i = 0; i < ROPE; i++) {
                score += rotary[i] * keys.get(s)[i];
            }
            weights[s] = Math.exp(score / Math.sqrt(NOPE + ROPE));
            sum += weights[s];
        }
        for (int s = 0; s <= t; s++) {
            for (int i = 0; i < VALUE; i++) {
                values[head * VALUE + i] += weights[s] / sum * latents.get(s)[kvAt + NOPE + i];
            }
        }
    }

    /** Neighbours turn together, each pair slower than the one before. */
    private static double[] rotated(double[] from, int at, int position) {
        double[] turned = new double[ROPE];
        for (int i = 0; i < ROPE; i += 2) {
            double angle = position * Math.pow(10_000, -(double) i / ROPE);
            turned[i] = from[at + i] * Math.cos(angle) - from[at + i + 1] * Math.sin(angle);
            turned[i + 1] = from[at + i] * Math.sin(angle) + from[at + i + 1] * Math.cos(angle);
        }
        return turned;
    }

    private static double[] norm(TestCheckpoint m, String name, double[] x) {
        float[] weight = m.floats(name + ".weight");
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = weight[i] * x[i] / Math.sqrt(squares / x.length + 1e-6);
        }
        return y;
    }

    private static double[] times(TestCheckpoint m, String name, double[] x) {
        float[] weight = m.floats(name + ".weight");
        double[] y = new double[weight.length / x.length];
        if (m.tensors.containsKey(name + ".bias")) {
            float[] bias = m.floats(name + ".bias");
            for (int i = 0; i < y.length; i++) {
                y[i] = bias[i];
            }
        }
        for (int row = 0; row < y.length; row++) {
            for (int col = 0; col < x.length; col++) {
                y[row] += (double) weight[row * x.length + col] * x[col];
            }
        }
        return y;
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }
}
